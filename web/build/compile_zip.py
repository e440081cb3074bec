"""
Compile the Python sources in a zip to bytecode. Runs inside Pyodide: bytecode fits one version.

Assertions stay. What is only read by people or type checkers goes, since each page would fetch it
and hold it in memory: documentation strings become empty strings, not None, because some packages
format or copy them at import; annotations of functions go, but for those that dispatch on them.
"""

import ast
import importlib.util
import marshal
import zipfile

# Flags of a `.pyc`, see PEP 552: it has a hash of its source, which is not compared.
UNCHECKED_HASH = (1).to_bytes(4, "little")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def compile_zip(source_zip: str, target_zip: str, root: str) -> None:
    """Write a zip with the `.pyc` of every `.py`; `root` is where tracebacks say they stand."""
    with zipfile.ZipFile(source_zip) as sources, zipfile.ZipFile(target_zip, "w") as target:
        for path in sources.namelist():
            source = sources.read(path)
            target.writestr(f"{path}c", bytecode(source, root + path))


def bytecode(source: bytes, path: str) -> bytes:
    """Return the content of the `.pyc` file of one source, never checked against the source."""
    tree = ast.parse(source, path)
    empty_docstrings(tree)
    if "pyodide/" not in path:  # which makes types for JavaScript of them
        drop_annotations(tree)
    code = compile(tree, path, "exec", dont_inherit=True, optimize=0)
    digest = importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + digest + marshal.dumps(code)


def empty_docstrings(tree: ast.Module) -> None:
    """Replace every documentation string in the tree by an empty one."""
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            statement = node.body[0]
            assert isinstance(statement, ast.Expr)
            assert isinstance(statement.value, ast.Constant)
            statement.value.value = ""


def drop_annotations(tree: ast.Module) -> None:
    """Remove the annotations of functions, unless a decorator `register` may read them."""
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS) and not any(map(is_register, node.decorator_list)):
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None


def is_register(decorator: ast.expr) -> bool:
    """Tell whether a decorator is that of `functools.singledispatch`, or the like."""
    return isinstance(decorator, ast.Attribute) and decorator.attr.startswith("register")
