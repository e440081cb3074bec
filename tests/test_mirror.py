"""Tests mirror the packages that they test, and share only what lives in tests/support/.

The tests of pyloader/x/y.py are in tests/x/test_y.py; those of a package in tests/test_x.py or
tests/x/test_x.py. Tests across modules are an exception: tests/bench, tests/fidelity, tests/pages,
tests/security and tests/web follow what they show, not one module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
SCRIPTS = sorted(
    path
    for folder in ("pyloader", "tests", "web")
    for path in (ROOT / folder).rglob("*.py")
    if "node_modules" not in path.parts
)


def module_of(path: Path) -> str:
    """Return the dotted name of a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


IMPORTABLE = {module_of(path) for path in SCRIPTS}


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return the modules that a file imports, also within functions, and the plugins it names."""
    return tuple(imported(path))


def imported(path: Path) -> Iterator[str]:
    """Yield what `imports` returns."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in IMPORTABLE else node.module or "" for name in names)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytest_plugins":
            yield from ast.literal_eval(node.value)


def is_test(module: str) -> bool:
    """Tell whether a module holds tests, or fixtures of a folder of tests."""
    name = module.rpartition(".")[2]
    return module.startswith("tests.") and (name.startswith("test_") or name == "conftest")


# ------------------------------------------------------------------ what tests share


def test_no_test_module_is_imported():
    found = [(path.relative_to(ROOT), name) for path in SCRIPTS for name in imports(path)]
    assert len(found) > 5000
    assert [(path, name) for path, name in found if is_test(name)] == []


def test_only_tests_import_tests():
    others = [path for path in SCRIPTS if TESTS not in path.parents]
    found = [(path.relative_to(ROOT), name) for path in others for name in imports(path)]
    assert [(path, name) for path, name in found if name.partition(".")[0] == "tests"] == []


def test_what_tests_share_lives_in_support():
    within = [path for path in SCRIPTS if TESTS in path.parents]
    assert [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in within
        for name in imports(path)
        if name.partition(".")[0] == "tests" and not is_shared(name, path)
    ] == []


def is_shared(module: str, path: Path) -> bool:
    """Tell whether a file may import a module of the tests; the bench is a program of its own."""
    is_of_bench = module.startswith("tests.bench") and TESTS / "bench" in path.parents
    return is_of_bench or module.startswith("tests.support")


def test_only_modules_of_support_and_of_the_bench_hold_no_tests():
    names = {path.name for path in HELPERS}
    assert names <= {"__init__.py", "conftest.py"}


HELPERS = [
    path
    for path in SCRIPTS
    if TESTS in path.parents
    and not path.name.startswith("test_")
    and path.relative_to(TESTS).parts[0] not in ("bench", "support")
]
