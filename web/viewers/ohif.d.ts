import type { InitOptions } from 'pyloader';

/** Parameters that OHIF passes to an extension, as far as this one reads them. */
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
 * Extension for OHIF 3.8 or later: pyloader loads `wadors:`, `wadouri:` and `dicomweb:`, with the origins of OHIF's
 * data sources and the header of its `userAuthenticationService`. Python starts when this file is imported. If it
 * cannot start, OHIF keeps its own loaders and shows the reason.
 */
declare const extension: {
  id: 'pyloader';
  preRegistration(parameters: OhifParameters): Promise<void>;
  onModeEnter(): void;
};
export default extension;
