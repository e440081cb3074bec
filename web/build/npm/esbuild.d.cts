/** Plugin of esbuild: puts the files that pyloader fetches at run time into the output. */
declare function pyloader(): { name: string; setup(build: any): void };
export = pyloader;
