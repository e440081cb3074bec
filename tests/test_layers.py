"""Allowed imports and public names: read from the sources, so nothing is run for it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import pyloader
from pyloader import errors
from pyloader.loaders import schemes

ROOT = Path(pyloader.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))
ERRORS = [
    kind
    for _, kind in sorted(vars(errors).items())
    if isinstance(kind, type) and kind.__module__ == errors.__name__
]


def imports(node: ast.AST, typing_too: bool = True) -> Iterator[str]:
    """Yield the dotted names that `node` imports, also within functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif typing_too or not is_for_typing(child):
            yield from imports(child, typing_too)


def is_for_typing(node: ast.AST) -> bool:
    """Tell whether `node` is an ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def tree_of(name: str) -> ast.Module:
    """Return the syntax tree of one of pyloader's files."""
    return ast.parse((ROOT / name).read_text())


def importers_of(*packages: str) -> list[str]:
    """Return the files that import one of `packages`."""
    return [
        name
        for name in MODULES
        if any(found.partition(".")[0] in packages for found in imports(tree_of(name)))
    ]


# ------------------------------------------------------------------ layers


def test_only_the_bridge_and_its_transport_touch_javascript():
    assert importers_of("js", "pyodide", "pyodide_js") == ["browser/bridge.py", "browser/fetch.py"]


def test_only_codecs_touch_imagecodecs():
    assert importers_of("imagecodecs") == ["pixels/codecs.py"]


def test_only_dicom_and_pixels_touch_pydicom():
    found = importers_of("pydicom")
    assert "dicom/instance.py" in found
    others = [name for name in found if not name.startswith(("dicom/", "pixels/"))]
    assert others == []


def test_nothing_else_is_needed():
    known = {"imagecodecs", "js", "numpy", "pydicom", "pyloader", "pyodide"}
    known |= {"micropip", "pyodide_http"}
    found = {each.partition(".")[0] for name in MODULES for each in imports(tree_of(name))}
    assert found - set(sys.stdlib_module_names) == known


def dotted(name: str) -> str:
    """Return the module of a file."""
    return ".".join(["pyloader", *Path(name).with_suffix("").parts]).removesuffix(".__init__")


@cache
def graph(typing_too: bool = False) -> dict[str, set[str]]:
    """Return which of pyloader's modules each of them imports when it runs, or for its types."""
    known = {dotted(name) for name in MODULES}
    edges: dict[str, set[str]] = {}
    for name in MODULES:
        found = set(imports(tree_of(name), typing_too))
        # `from pyloader import cache` names a module, `from pyloader import Image` a value.
        modules = {each if each in known else each.rpartition(".")[0] for each in found}
        edges[dotted(name)] = modules & known
    return edges


def test_nothing_imports_what_runs_in_a_page():
    others = {name: found for name, found in graph().items() if ".browser" not in name}
    assert [
        name for name, found in others.items() if any(".browser" in each for each in found)
    ] == []


def test_no_import_goes_round_in_a_circle():
    order = list(TopologicalSorter(graph(typing_too=True)).static_order())
    assert order.index("pyloader.errors") < order.index("pyloader.load")


# Package -> what it may import of the others, beside errors.
LAYERS = {
    "errors": {"redaction"},
    "facts": set(),
    "redaction": set(),
    "cache": set(),
    "registry": set(),
    "arrays": set(),
    "authors": set(),
    "rules": {"arrays", "dicom"},
    "modules": {"arrays", "rules"},
    "image": {"arrays", "modules", "rules"},
    "imageid": {"facts"},
    "transport": {"transport"},
    "network": {"cache", "facts", "transport"},
    "host": set(),
    "inflate": {"facts"},
    "jsontext": set(),
    "context": {"cache", "host", "image", "inflate", "network", "transport"},
    "source": {"context", "image", "imageid"},
    "volumes": {"arrays", "context", "image", "imageid", "rules", "source", "volumes"},
    "dicom": {"arrays", "dicom", "image", "inflate", "jsontext"},
    "pixels": {"dicom", "image", "inflate", "pixels"},
    "loaders": {
        *("arrays", "authors", "context", "dicom", "facts", "image", "imageid", "inflate"),
        *("jsontext", "loaders", "modules", "pixels", "registry", "rules", "source", "transport"),
        "volumes",
    },
    "dicomweb": {
        *("context", "dicom", "dicomweb", "imageid", "loaders", "pixels", "redaction"),
        *("source", "transport"),
    },
    "volume": {
        *("authors", "context", "image", "imageid", "load", "loaders", "pixels", "source"),
        "volumes",
    },
    # What a user may import: "pyloader" is its public face. Beside it what reads with a limit.
    "formats": {"formats", "inflate", "jsontext", "pyloader", "volume"},
    "wire": {"arrays", "authors", "image", "pixels"},
    "load": {
        *("cache", "context", "facts", "image", "imageid", "loaders", "network", "rules"),
        *("source", "transport"),
    },
    "browser": {
        *("browser", "cache", "context", "custom", "dicom", "dicomweb", "facts", "image"),
        "imageid",
        *("load", "loaders", "network", "pixels", "source", "transport", "wire"),
    },
    "custom": {"authors", "loaders"},
    "bulk": {
        *("authors", "bulk", "cache", "context", "custom", "image", "imageid", "load", "network"),
        *("transport", "wire"),
    },
    "testing": {
        *("cache", "context", "custom", "image", "imageid", "load", "loaders", "network"),
        *("pixels", "rules", "testing", "transport", "wire"),
    },
    "cli": {"authors", "loaders", "cli", "custom", "image", "load", "pixels", "pyloader", "wire"},
    "__main__": {"cli"},
}


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_know_only_those_below(layer):
    found = {
        [*imported.split("."), "pyloader"][1]
        for name, imports in graph().items()
        if [*name.split("."), ""][1] == layer
        for imported in imports
    }
    assert found - {"errors"} == LAYERS[layer]


# Modules within a package that know less than the package may, beside errors.
INNER = {
    "browser.console": {"context"},
    "browser.event_loop": set(),
    "browser.lazy_imports": set(),
    "browser.package_index": {"browser.wheel_checks"},
    "browser.packages": {"browser.package_index", "browser.wheel_checks", "wire"},
    "browser.wheel_checks": set(),
    "dicom.json.plain_values": {"dicom.keywords", "dicom.values"},
    "dicomweb.address": set(),
    "dicomweb.chunk_buffer": set(),
    "dicomweb.multipart": {"dicomweb.chunk_buffer"},
    "loaders.frame_requests": {"context"},
    "volumes.geometry": {"image", "imageid"},
}


@pytest.mark.parametrize("name", INNER)
def test_modules_of_a_package_know_no_more_than_they_need(name):
    found = {imported.removeprefix("pyloader.") for imported in graph()[f"pyloader.{name}"]}
    assert found - {"errors"} == INNER[name]


def test_every_module_has_a_layer():
    packages = {name.split(".")[1] for name in graph() if "." in name}
    assert packages == {*LAYERS}


@pytest.mark.parametrize("value", ["errors", "image", "imageid", "cache", "registry", "transport"])
def test_values_do_not_know_who_makes_them(value):
    makers = {"pyloader.load", "pyloader.context", "pyloader.wire", "pyloader.loaders"}
    found = graph()[f"pyloader.{value}"]
    assert not found & makers
    assert not [name for name in found if name.startswith(("pyloader.dicom", "pyloader.pixels"))]


# ------------------------------------------------------------------ the public face


def test_public_names():
    assert pyloader.__all__ == [
        "Context",
        "Image",
        "ImageId",
        "LoaderError",
        "list_image_ids",
        "load_image",
        "load_images",
        "load_metadata",
        "purge",
        "register_loader",
    ]
    assert all(hasattr(pyloader, name) for name in pyloader.__all__)
    assert len(pyloader.__all__) <= 10


@pytest.mark.parametrize("name", pyloader.__all__)
def test_public_names_are_documented(name):
    assert getattr(pyloader, name).__doc__


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_documented(name):
    assert ast.get_docstring(tree_of(name))


# ------------------------------------------------------------------ tables


SCHEMES = [
    *("dicomfile", "dicomweb", "http", "https", "localfile", "metaimage", "nifti", "nrrd", "numpy"),
    *("wadors", "wadouri", "web", "zarr"),
]


def test_schemes_are_sorted():
    assert list(schemes) == SCHEMES


@pytest.mark.parametrize("scheme", SCHEMES)
def test_schemes_lead_to_functions(scheme):
    open_source = schemes[scheme]
    assert callable(open_source)
    assert schemes.owner(scheme) == open_source.__module__


# ------------------------------------------------------------------ errors


def test_errors_are_those_of_the_tree():
    assert [kind.__name__ for kind in ERRORS] == [
        "CustomLoaderError",
        "DecodeError",
        "FormatError",
        "HttpStatusError",
        "ImageIdError",
        "LoaderError",
        "NetworkError",
        "PackageError",
        "RequestError",
        "TransportError",
        "UnknownSchemeError",
        "UnsupportedError",
    ]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_error_has_code_stage_and_documentation(kind):
    assert issubclass(kind, errors.LoaderError)
    assert kind.__doc__
    assert kind.code.replace("-", "").isalpha()
    assert kind.stage in {"dispatch", "fetch", "parse", "decode", "loader"}


def test_codes_tell_errors_apart():
    raised = [kind for kind in ERRORS if kind is not errors.LoaderError]
    assert len({kind.code for kind in raised}) == len(raised)


def texts_tested() -> set[str]:
    """Return the names of the errors that some ``pytest.raises(..., match=...)`` expects."""
    calls = (
        node
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.raises"
    )
    return {
        ast.unparse(call.args[0])
        for call in calls
        if any(keyword.arg == "match" for keyword in call.keywords)
    }


def test_every_error_has_a_test_of_its_text():
    assert {kind.__name__ for kind in ERRORS} <= texts_tested()
