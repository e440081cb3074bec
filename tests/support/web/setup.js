// @ts-check
// Define the constants that the build writes into the scripts, for tests that import their sources by
// `node --import` of this file.
import { existsSync, readFileSync } from 'node:fs';
import './lock.js';

if (!existsSync(new URL('../../../web/node_modules/wabt', import.meta.url))) {
  throw new Error('web/node_modules/ lacks packages that the tests import: ./build.sh installs them');
}

const facts = readFileSync(new URL('../../../pyloader/facts.json', import.meta.url), 'utf8');
Object.assign(globalThis, { PYLOADER_FACTS: JSON.parse(facts) });
