/** Plugin of webpack 5 and Rspack: keeps minimizers from the files that pyloader fetches at run time. */
declare class PyLoaderPlugin {
  apply(compiler: any): void;
}
export = PyLoaderPlugin;
