/** Plugin of Vite: pyloader's files, as they are, from its development server and in its build. */
declare function pyloader(): { name: string; config: any; configureServer: any };
export = pyloader;
