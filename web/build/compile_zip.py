"""
Compile the Python sources in a zip to bytecode. This runs in Pyodide: bytecode fits one version.

Assertions stay. Text for people and type checkers is removed, since each page would fetch it and
keep it in memory. Docstrings become empty strings, not None: some packages format or copy them at
import. Annotations of functions are removed, except where a decorator dispatches on them.
"""

import ast
import importlib.util
import marshal
import zipfile

# Flags of a `.pyc` (PEP 552): it has a hash of its source, which Python does not check.
UNCHECKED_HASH = (1).to_bytes(4, "little")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def compile_zip(source_zip: str, target_zip: str, root: str) -> None:
    """Write a zip with the `.pyc` of every `.py`; tracebacks show the sources below `root`."""
    with zipfile.ZipFile(source_zip) as sources, zipfile.ZipFile(target_zip, "w") as target:
        for path in sources.namelist():
            source = sources.read(path)
            target.writestr(f"{path}c", bytecode(source, root + path))


def bytecode(source: bytes, path: str) -> bytes:
    """Return the content of a source's `.pyc` file, which Python never checks against it."""
    tree = ast.parse(source, path)
    empty_docstrings(tree)
    if "pyodide/" not in path:  # Pyodide makes types for JavaScript from its own annotations
        drop_annotations(tree)
    code = compile(tree, path, "exec", dont_inherit=True, optimize=0)
    digest = importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + digest + marshal.dumps(code)


def empty_docstrings(tree: ast.Module) -> None:
    """Replace every docstring in the tree by an empty string."""
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            statement = node.body[0]
            assert isinstance(statement, ast.Expr)
            assert isinstance(statement.value, ast.Constant)
            statement.value.value = ""


def drop_annotations(tree: ast.Module) -> None:
    """Remove the annotations of functions, unless a `register` decorator may read them."""
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS) and not any(map(is_register, node.decorator_list)):
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None


def is_register(decorator: ast.expr) -> bool:
    """Return whether a decorator is `register` of `functools.singledispatch`, or similar."""
    return isinstance(decorator, ast.Attribute) and decorator.attr.startswith("register")
