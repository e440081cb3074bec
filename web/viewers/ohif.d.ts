import type { InitOptions } from 'pyloader';

/** Parameters that OHIF gives an extension, as far as this one reads them. */
export interface OhifParameters {
  appConfig: { dataSources?: { configuration?: Record<string, any> }[] };
  extensionManager: {
    dataSourceDefs?: Record<string, { configuration?: Record<string, any> }>;
  };
  servicesManager: { services: Record<string, any> };
  /** Options of `pyloader.init`, for the second entry of `[extension, configuration]`. */
  configuration?: InitOptions;
}

/**
 * Extension of OHIF 3.8 or later: `wadors:`, `wadouri:` and `dicomweb:` come through pyloader, with the
 * origins of OHIF's data sources and the header of its `userAuthenticationService`. Python starts
 * as this file is imported. Where it cannot start, OHIF keeps its own loaders and says why.
 */
declare const extension: {
  id: 'pyloader';
  preRegistration(parameters: OhifParameters): Promise<void>;
  onModeEnter(): void;
};
export default extension;
