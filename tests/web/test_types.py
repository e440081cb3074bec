"""The types of the package, as TypeScript finds and understands them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from pyloader import load_image
from pyloader.image import modules_of
from pyloader.wire import wire_modules
from tests.support import corpus
from tests.support.npm import ROOT, run

HERE = Path(__file__).parent
STRICT = {
    "allowUmdGlobalAccess": True,
    "lib": ["ES2024", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    "noEmit": True,
    "skipLibCheck": True,
    "strict": True,
    "target": "ES2022",
    "types": [],
}
RESOLUTIONS = {
    "bundler": {"module": "ESNext", "moduleResolution": "bundler"},
    "nodenext": {"module": "NodeNext", "moduleResolution": "nodenext"},
}
DOCUMENTS = ("README.md", "web/guide.md", "web/docs/index.md", "web/docs/apps.md")
# Pages of the site: whole programs, whose plain JavaScript has functions without types.
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "web/docs").glob("*/*.md"))
PLAIN = {"noImplicitAny": False, "useUnknownInCatchVariables": False}
BLOCK = re.compile(r"^```(js|ts|html)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SCRIPT = re.compile(r"<script(?: type=\"module\")?>\n(.*?)</script>", re.DOTALL)


def compile_all(
    workshop: Path,
    name: str,
    sources: dict[str, str],
    how: str = "bundler",
    options: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Compile files in a folder of the workshop: strictly, but for `options`."""
    folder = workshop / f"types-{name}-{how}"
    folder.mkdir()
    (folder / "package.json").write_text('{"type": "module"}')
    for file, text in sources.items():
        (folder / file).write_text(text)
    settings = {"compilerOptions": STRICT | RESOLUTIONS[how] | {**options}, "include": ["*.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    run(workshop / "node_modules/.bin/tsc", "--project", folder, cwd=folder)


@pytest.mark.parametrize("how", RESOLUTIONS)
@pytest.mark.parametrize("name", ["right", "wrong"])
def test_what_is_right_compiles_and_nothing_else(workshop: Path, name: str, how: str) -> None:
    compile_all(workshop, name, {f"{name}.ts": (HERE / f"types/{name}.ts").read_text()}, how)


def examples(documents: Sequence[str]) -> dict[str, str]:
    """Return every example of the documentation in JavaScript or TypeScript, as a module."""
    found = {}
    for document in documents:
        for kind, block in BLOCK.findall((ROOT / document).read_text()):
            scripts = SCRIPT.findall(block) if kind == "html" else [block]
            for code in scripts:
                name = f"{Path(document).stem.lower()}-{len(found)}.ts"
                found[name] = f"export {{}};\n{code}"
    return found


@pytest.mark.parametrize(
    ("name", "documents", "options"), [("examples", DOCUMENTS, {}), ("pages", PAGES, PLAIN)]
)
def test_every_example_compiles(
    workshop: Path, name: str, documents: Sequence[str], options: Mapping[str, object]
) -> None:
    sources = examples(documents)
    assert len(sources) > 12
    sources["examples.d.ts"] = (HERE / "types/examples.d.ts").read_text()
    sources["pyloader.d.ts"] = (workshop / "node_modules/pyloader/pyloader.d.ts").read_text()
    compile_all(workshop, name, sources, options=options)


def literal(value: object) -> str:
    """Return a value of a message as an expression of TypeScript."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, np.ndarray):
        name = {"u": "Uint", "i": "Int", "f": "Float"}[value.dtype.kind]
        return f"new {name}{value.dtype.itemsize * 8}Array()"
    return json.dumps(value)


async def test_modules_of_the_corpus_are_as_they_are_typed(workshop: Path) -> None:
    lines = ["import type { Modules } from 'pyloader';"]
    for name in [*corpus.images(), *corpus.further_images()]:
        image = await load_image(f"wadouri:{corpus.path_of(name)}")
        modules = literal(wire_modules(modules_of(image)))
        lines.append(f"export const image{len(lines)}: Modules = {modules}; // {name}")
    compile_all(workshop, "corpus", {"corpus.ts": "\n".join(lines)})


def test_events_are_those_that_are_fired() -> None:
    types = (ROOT / "web/pyloader.d.ts").read_text()
    [details] = re.findall(
        r"^export interface EventDetails \{\n(.*?)^\}", types, re.MULTILINE | re.DOTALL
    )
    web = ROOT / "web"
    scripts = [*web.glob("*.js"), *web.glob("page/*.js")]
    sources = "".join(path.read_text() for path in scripts)
    fired = set(re.findall(r"fire\('(\w+)'", sources)) | {"imageloadstart", "imageloadend"}
    assert set(re.findall(r"^  (\w+):", details, re.MULTILINE)) == fired
