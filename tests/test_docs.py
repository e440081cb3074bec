"""Pages of the documentation name all that the code has; links and Python work, also of README."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

from pyloader import facts
from pyloader.dicom.transfer_syntaxes import DEFLATED_IMAGE_FRAME, ENCAPSULATED_UNCOMPRESSED, NATIVE
from pyloader.errors import LoaderError, TransportError
from pyloader.pixels.codecs import CODECS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "web" / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
TYPES = (ROOT / "web/pyloader.d.ts").read_text()
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
ASKED = """
const { DEFAULTS } = await import('./web/page/settings.js');
console.log(JSON.stringify(DEFAULTS, (_, value) => (value === undefined ? null : value)));
"""


def page(name: str) -> str:
    """Return the text of a page of the reference."""
    return (DOCS / "reference" / name).read_text()


def first_cells(text: str) -> list[str]:
    """Return the first cell of each row of the tables, without marks and colons of schemes."""
    cells = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
    return [cell.strip("`").removesuffix(":") for cell in cells]


def rows(text: str, title: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading by their first cell."""
    below = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = re.sub(r"^\|.*\n\|-.*$", "", below, flags=re.MULTILINE)  # without the heads
    table = [line.strip("| ").split(" | ") for line in found.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): cells for cells in table}


def members(interface: str) -> dict[str, str]:
    """Return the members of an interface of `pyloader.d.ts`, with their types."""
    [body] = re.findall(
        rf"^export interface {interface}(?: extends \w+)? \{{\n(.*?)^\}}",
        TYPES,
        re.MULTILINE | re.DOTALL,
    )
    return dict(re.findall(r"^  (\w+)\??:\s+(.*?);?$", body, re.MULTILINE))


def test_every_scheme_has_a_row():
    table = page("imageids.md").partition("\n## The schemes\n")[2].partition("\n## ")[0]
    assert sorted(first_cells(table)[1:]) == sorted(facts.SCHEMES["builtIn"])


def test_every_error_code_has_a_row_with_its_stages():
    [union] = re.findall(r"^export type ErrorCode =(.*?);", TYPES, re.MULTILINE | re.DOTALL)
    table = rows(page("error-codes.md"), "Codes")
    assert set(table) == set(re.findall(r"'([\w-]+)'", union))
    [union] = re.findall(r"^export type ErrorStage =(.*?);", TYPES, re.MULTILINE | re.DOTALL)
    stages = {stage for cells in table.values() for stage in re.findall(r"`([\w-]+)`", cells[1])}
    assert stages == set(re.findall(r"'([\w-]+)'", union))
    kinds = subclasses_of(LoaderError) - {TransportError}
    assert len(kinds) > 10
    for kind in kinds:
        assert f"`{kind.stage}`" in table[kind.code][1], kind


def subclasses_of(kind: type[LoaderError]) -> set[type[LoaderError]]:
    """Return a kind of error and all that are of it."""
    return {kind}.union(*map(subclasses_of, kind.__subclasses__()))


def test_every_kind_of_error_is_named():
    text = page("error-codes.md")
    source = ast.parse((ROOT / "pyloader/errors.py").read_text())
    kinds = [node.name for node in source.body if isinstance(node, ast.ClassDef)]
    assert len(kinds) > 10
    assert [kind for kind in kinds if f"`{kind}`" not in text] == []


def test_every_transfer_syntax_has_a_row():
    uids = {*NATIVE, ENCAPSULATED_UNCOMPRESSED, DEFLATED_IMAGE_FRAME, *CODECS}
    table = re.findall(r"^\| ([\d.]+) \| ([^|]+) \|", page("transfer-syntaxes.md"), re.MULTILINE)
    assert sorted(uid for uid, _ in table) == sorted(map(str, uids))
    for uid, name in table:
        [syntax] = [each for each in uids if each == uid]
        assert syntax.name.startswith(name.strip())


def test_every_option_has_a_row():
    table = rows(page("options.md"), "`init`")
    block = TYPES.partition("  limits?: {")[2].partition("  };")[0]
    limits = re.findall(r"^    (\w+)\?:", block, re.MULTILINE)
    expected = set(members("InitOptions")) | {"limits"} | {f"limits.{name}" for name in limits}
    assert set(table) == expected
    assert set(rows(page("options.md"), "A load")) == set(members("LoadOptions"))


def test_defaults_are_those_of_the_script():
    setup = ["--import", "./tests/support/web/setup.js", "--input-type=module"]
    command = ["node", *setup, "-e", ASKED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    defaults = json.loads(done.stdout)
    defaults |= {f"limits.{name}": value for name, value in defaults.pop("limits").items()}
    table = rows(page("options.md"), "`init`")
    assert set(table) - set(defaults) == {"limits", "assetsURL"}
    for name, value in defaults.items():
        assert written(value) == table[name][2].strip("`"), name


def written(value: object) -> str:
    """Return a default as the page writes it."""
    if value is None:
        return "none"
    if isinstance(value, int) and value >= 2**20:
        return f"{value >> 30} GiB" if value >= 2**30 else f"{value >> 20} MiB"
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    return json.dumps(value).replace('"', "'")


def test_every_module_has_a_row_with_its_fields():
    text = page("metadata.md")
    table = {
        cells[0].strip("`"): re.findall(r"`(\w+)`", cells[-1])
        for line in text.splitlines()
        if line.startswith("| `") and len(cells := line.strip("| ").split(" | ")) == 3
    }
    modules = members("Modules")
    assert set(table) == set(modules)
    for module, interface in modules.items():
        assert set(table[module]) == set(members(interface)), module


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_pages_and_headings(path: Path):
    for target, heading in LINK.findall(path.read_text()):
        found = (path.parent / target).resolve() if target else path
        assert found.is_file(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            assert heading in [slug(title) for title in titles], f"{target}#{heading}"


def slug(title: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_piece_of_python_compiles(path: Path):
    for block in re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL):
        compile(block, path.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
