"""Tests mirror the packages that they test, and share only what lives in tests/support/.

The tests of pyloader/x/y.py are in tests/x/test_y.py; those of a package in tests/test_x.py or
tests/x/test_x.py. More tests of a module add words to its name, as test_wadors_orthanc.py. Folders
of `ACROSS` follow what they show, not one module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGE = ROOT / "pyloader"
ACROSS = ("bench", "fidelity", "pages", "security", "support", "web")
# Where a module needs what CPython does not have, it is driven in browsers.
REASONS = {
    "browser/bridge.py": "answers calls of JavaScript: tests/pages",
    "browser/fetch.py": "sends requests through JavaScript: tests/pages/test_network.py",
    "browser/package_index.py": "patches micropip: tests/security/test_packages_security.py",
    "browser/packages.py": "calls micropip: tests/pages/test_packages.py",
}
# Tests of the project as a whole, and what they are about.
WHOLE = {
    "test_corpus.py": "every file of pydicom's corpora",
    "test_docs.py": "the pages of the documentation",
    "test_english.py": "the wording of docstrings and comments",
    "test_fuzz.py": "damaged files of each kind",
    "test_garbage.py": "memory that loads leave behind",
    "test_guide.py": "the guide and its loaders",
    "test_layers.py": "which package may import which, and what is public",
    "test_mirror.py": "where tests stand",
    "test_names.py": "names that have one meaning",
    "test_renderings.py": "what Python shows of an image, against DCMTK",
    "test_tutorials.py": "the Python programs of the documentation",
}
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


# ------------------------------------------------------------------ where tests stand


def modules() -> dict[Path, list[str]]:
    """Return the modules of pyloader, each with the places that its tests may have."""
    return {path: [*places_of(path.relative_to(PACKAGE))] for path in PACKAGE.rglob("*.py")}


def places_of(module: Path) -> Iterator[str]:
    """Yield the paths, within tests/, that the tests of a module may have."""
    if module.stem != "__init__":
        yield module.with_name(f"test_{module.stem.removeprefix('_')}.py").as_posix()
    elif module.parent.name:
        name = f"test_{module.parent.name}.py"
        yield module.with_name(name).as_posix()
        yield module.parent.with_name(name).as_posix()


def has_code(path: Path) -> bool:
    """Tell whether a module is more than the names that it takes from others."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    is_face = path.name in ("__init__.py", "__main__.py")
    return not is_face or any(isinstance(node, kinds) for node in ast.parse(path.read_text()).body)


def placed_tests() -> set[str]:
    """Return the tests that stand beside modules, by their path within tests/."""
    paths = [path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")]
    return {path.as_posix() for path in paths if path.parts[0] not in ACROSS}


def test_modules_without_a_test_have_a_reason():
    found = {path: places for path, places in modules().items() if has_code(path)}
    assert len(found) > 150
    tests = placed_tests()
    alone = [path for path, places in found.items() if not tests & {*places}]
    assert {path.relative_to(PACKAGE).as_posix() for path in alone} == REASONS.keys()


def test_reasons_name_tests_that_exist():
    named = [re.findall(r"tests/[\w./]+", reason) for reason in REASONS.values()]
    assert [paths for paths in named if not paths] == []
    assert [path for paths in named for path in paths if not (ROOT / path).exists()] == []


def test_tests_stand_beside_their_modules():
    """A test whose name is no module's begins with that of a module, or package, of its folder."""
    places = {place for found in modules().values() for place in found}
    stems = tuple(place.removesuffix(".py") + "_" for place in places)
    others = {name for name in placed_tests() - places if not name.startswith(stems)}
    assert others == WHOLE.keys()
