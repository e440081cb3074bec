"""The browser's half of pyloader. Only what makes dist/ is in Python: web/build/, web/samples/."""
