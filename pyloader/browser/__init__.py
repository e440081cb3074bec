"""Python in a page: what runs in Pyodide alone, between its workers' JavaScript and the loaders."""
