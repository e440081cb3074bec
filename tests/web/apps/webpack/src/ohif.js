// As an OHIF that is built from source takes in its plug-ins.
import pyloader from 'pyloader';
import { show } from '../../show.js';

async function takeIn(name) {
  const { default: extension } = await import('pyloader/ohif');
  await extension.preRegistration({ appConfig: {}, extensionManager: {}, servicesManager: { services: {} } });
  return extension.id === name;
}

takeIn('pyloader').then((isKnown) => isKnown && show(pyloader, document.querySelector('canvas')));
