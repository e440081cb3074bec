// @ts-check
// Extension for OHIF 3 that loads images with pyloader. It starts while the app starts, sends requests only to the
// servers of OHIF's data sources, and identifies the user as OHIF does. OHIF still loads local files and all other
// schemes.
import * as pyloader from 'pyloader';

/** @typedef {import('pyloader/ohif').OhifParameters} Parameters */

const SCHEMES = ['wadors', 'wadouri', 'dicomweb'];
/** Options that cannot change after the start. */
const FIXED = ['workers', 'assetsURL', 'packages', 'packageIndexes'];
const ROOTS = ['wadoRoot', 'qidoRoot', 'wadoUriRoot'];
/** Key of sessionStorage for a start that failed after OHIF was connected; the reloaded page reads it. */
const FAILED = 'pyloader: failed start';
// Times for a sign-in that OHIF renews after a request was refused.
const RENEWAL_MS = 5000;
const RENEWED_MS = 30_000;
const LOOK_MS = 250;
const SHOWN_MS = 15_000;

/** Reason why OHIF keeps its own loaders. @type {string | undefined} */
let failure = readFailure();
/** @type {(() => void) | undefined} */
let disconnect;
/** @type {Parameters | undefined} */
let app;

/** OHIF's current header that identifies the user, and the time when it was last seen to change. */
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

  /**
   * Wait for another header than the refused request had.
   * @returns {Promise<boolean>} resolves to true if there is one
   */
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
 * List the origins of OHIF's data sources, including those added since the start. Leave out servers that a source
 * reads from the page's address, as `dicomwebproxy` does: a link could name any server.
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

/** Hooks, the same for each call: pyloader takes another hook for another user. */
const HOOKS = {
  /** @param {pyloader.OutgoingRequest} request */
  beforeRequest: (request) => void Object.assign(request.headers, authorization.read()),
  onUnauthorized: () => authorization.isRenewed(),
};

/** Pass the origins and the hooks to pyloader. @param {Parameters} parameters */
function configure(parameters) {
  const { origins, ...options } = parameters.configuration ?? {};
  return pyloader.init({ ...HOOKS, ...options, origins: [...originsOf(parameters), ...(origins ?? [])] });
}

/** @param {unknown} error why Python did not start */
function fail(error) {
  const { name, message } = /** @type {Partial<Error>} */ (error ?? {});
  if (name === 'AbortError') return; // terminate() ended it, to start with other options
  failure = message ?? String(error);
  console.warn(`pyloader: OHIF uses its own image loaders: ${failure}`);
  if (!disconnect) return;
  // Cornerstone forgets a loader when another takes its scheme: only a reloaded page has OHIF's own again.
  try {
    sessionStorage.setItem(FAILED, failure ?? '');
    location.reload();
  } catch {
    show(); // without sessionStorage, the page would reload again and again
  }
}

/** Read and clear the failure of the previous page, so that the next page tries again. */
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
    message: `OHIF's own loaders load the images: ${failure}`,
    type: 'warning',
    duration: SHOWN_MS,
  });
}

/** Connect Cornerstone to pyloader. */
function connect() {
  const { cornerstone } = /** @type {{cornerstone?: pyloader.Cornerstone3D}} */ (/** @type {unknown} */ (globalThis));
  if (!cornerstone)
    throw new Error(
      'window.cornerstone is missing: OHIF 3.8 or later sets it with its extension @ohif/extension-cornerstone',
    );
  disconnect = pyloader.use(cornerstone, { schemes: SCHEMES });
}

// Start before OHIF has loaded the rest of its app.
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
    configure(app).catch(fail); // a data source may have been added
    if (disconnect) return;
    try {
      connect();
    } catch (error) {
      fail(error);
      show();
    }
  },
};
