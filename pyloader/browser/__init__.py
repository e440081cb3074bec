"""Code that runs in Pyodide only, between the workers' JavaScript and the loaders."""
