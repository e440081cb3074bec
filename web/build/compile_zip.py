"""
Compile the Python sources in a zip to bytecode. Runs inside Pyodide: bytecode fits one version.

Assertions stay. Where documentation strings are stripped they become empty strings, not None,
because some packages format or copy them at import.
"""

import ast
import importlib._bootstrap_external as bootstrap
import importlib.util
import zipfile

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def compile_zip(source_zip: str, target_zip: str, root: str, keep_docstrings: bool) -> None:
    """Write a zip with the `.pyc` of every `.py`; `root` is where tracebacks say they stand."""
    with zipfile.ZipFile(source_zip) as sources, zipfile.ZipFile(target_zip, "w") as target:
        for path in sources.namelist():
            source = sources.read(path)
            target.writestr(f"{path}c", bytecode(source, root + path, keep_docstrings))


def bytecode(source: bytes, path: str, keep_docstrings: bool) -> bytes:
    """Return the content of the `.pyc` file of one source, never checked against the source."""
    tree = ast.parse(source, path)
    if not keep_docstrings:
        empty_docstrings(tree)
    code = compile(tree, path, "exec", dont_inherit=True, optimize=0)
    digest = importlib.util.source_hash(source)
    return bytes(bootstrap._code_to_hash_pyc(code, digest, checked=False))


def empty_docstrings(tree: ast.Module) -> None:
    """Replace every documentation string in the tree by an empty one."""
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[0].value.value = ""
