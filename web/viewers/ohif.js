// @ts-check
// An extension for OHIF 3: its images come through pyloader, which starts while the app starts, asks
// the servers of OHIF's data sources alone, and identifies the user as OHIF does. Local files and all
// other schemes stay OHIF's.
import * as pyloader from 'pyloader';

/** @typedef {import('pyloader/ohif').OhifParameters} Parameters */

const SCHEMES = ['wadors', 'wadouri', 'dicomweb'];
/** Options that count from the start on. */
const FIXED = ['workers', 'assetsURL', 'packages', 'packageIndexes'];
const ROOTS = ['wadoRoot', 'qidoRoot', 'wadoUriRoot'];
/** Key of sessionStorage for a start that failed when OHIF was connected; the page reads it as it loads again. */
const FAILED = 'pyloader: failed start';
// A sign-in that OHIF renews beside a request that was refused.
const RENEWAL_MS = 5000;
const RENEWED_MS = 30_000;
const LOOK_MS = 250;
const SHOWN_MS = 15_000;

/** The reason for which OHIF keeps its own loaders. @type {string | undefined} */
let failure = readFailure();
/** @type {(() => void) | undefined} */
let disconnect;
/** @type {Parameters | undefined} */
let app;

/** The header that identifies the user, as OHIF has it now, and when it was seen to change. */
const authorization = {
  value: /** @type {string | undefined} */ (undefined),
  changed: -Infinity,
  isKnown: false,

  /** @returns {Record<string, string>} */
  read() {
    const headers = app?.servicesManager.services.userAuthenticationService?.getAuthorizationHeader() ?? {};
    const value = headers.Authorization;
    if (this.isKnown && value !== this.value) this.changed = performance.now();
    [this.value, this.isKnown] = [value, true];
    return headers;
  },

  /** Wait for another header than the refused request had. @returns {Promise<boolean>} whether there is one */
  async isRenewed() {
    const deadline = performance.now() + RENEWAL_MS;
    for (;;) {
      this.read();
      if (performance.now() - this.changed < RENEWED_MS) return true;
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
    }
  },
};

/**
 * The origins of OHIF's data sources, those that were added since the start among them. What a source
 * reads from the address of the page, as `dicomwebproxy` does, is not asked: a link could name any server.
 * @param {Parameters} parameters
 */
function originsOf({ appConfig, extensionManager }) {
  const configurations = [
    ...(appConfig.dataSources ?? []).map(({ configuration }) => configuration),
    ...Object.values(extensionManager.dataSourceDefs ?? {}).map(({ configuration }) => configuration),
  ];
  const addresses = configurations.flatMap((configuration) => ROOTS.map((root) => configuration?.[root]));
  const found = addresses.filter((address) => typeof address === 'string' && URL.canParse(address, location.href));
  return [...new Set(found.map((address) => new URL(address, location.href).origin))];
}

/** The same at each call: with another hook, pyloader would take the user for another one. */
const HOOKS = {
  /** @param {pyloader.OutgoingRequest} request */
  beforeRequest: (request) => void Object.assign(request.headers, authorization.read()),
  onUnauthorized: () => authorization.isRenewed(),
};

/** Tell pyloader which servers there are, and who asks. @param {Parameters} parameters */
function configure(parameters) {
  const { origins, ...options } = parameters.configuration ?? {};
  return pyloader.init({ ...HOOKS, ...options, origins: [...originsOf(parameters), ...(origins ?? [])] });
}

/** @param {unknown} error why Python did not start */
function fail(error) {
  const { name, message } = /** @type {Partial<Error>} */ (error ?? {});
  if (name === 'AbortError') return; // ended here, to begin with other options
  failure = message ?? String(error);
  console.warn(`pyloader: OHIF uses its own image loaders: ${failure}`);
  if (!disconnect) return;
  // Cornerstone forgets a loader when another takes its scheme: OHIF's own are back with a new page.
  try {
    sessionStorage.setItem(FAILED, failure ?? '');
    location.reload();
  } catch {
    show(); // without a storage it would load again and again
  }
}

/** The failure of the page that was here before; the next one tries again. */
function readFailure() {
  try {
    const found = sessionStorage.getItem(FAILED) ?? undefined;
    sessionStorage.removeItem(FAILED);
    return found;
  } catch {
    return undefined;
  }
}

/** Show why pyloader is not used. */
function show() {
  app?.servicesManager.services.uiNotificationService?.show({
    title: 'pyloader is not used',
    message: `Images come through OHIF's own loaders: ${failure}`,
    type: 'warning',
    duration: SHOWN_MS,
  });
}

/** Have Cornerstone load by pyloader. */
function connect() {
  const { cornerstone } = /** @type {{cornerstone?: pyloader.Cornerstone3D}} */ (/** @type {unknown} */ (globalThis));
  if (!cornerstone)
    throw new Error(
      'window.cornerstone is not there: OHIF 3.8 or later sets it with its extension @ohif/extension-cornerstone',
    );
  disconnect = pyloader.use(cornerstone, { schemes: SCHEMES });
}

// Before OHIF has loaded the rest of its app.
if (!failure) pyloader.init().catch(fail);

export default {
  id: 'pyloader',

  /** @param {Parameters} parameters */
  async preRegistration(parameters) {
    app = parameters;
    if (failure) return;
    if (FIXED.some((name) => name in (parameters.configuration ?? {}))) pyloader.terminate();
    configure(parameters).catch(fail);
  },

  onModeEnter() {
    if (!app) return;
    if (failure) return show();
    configure(app).catch(fail); // a data source may have come since
    if (disconnect) return;
    try {
      connect();
    } catch (error) {
      fail(error);
      show();
    }
  },
};
