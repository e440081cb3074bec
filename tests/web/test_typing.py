"""The types of web/'s scripts and the length of their functions, read by TypeScript's parser."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
BRIDGE = Path(__file__).parents[2] / "pyloader/browser/bridge.py"
OTHERS = {"build", "demo", "node_modules"}
MOST_ANY = 40
MOST_LINES = 60

# Finds in each file the lines of types that are `any`, by whatever word; functions and their lines;
# and the names that interfaces and object literals have, by what those stand in.
SURVEY = r"""
const ts = require(process.argv[1]);
const { SyntaxKind: Kind } = ts;
const ANY = [Kind.AnyKeyword, Kind.JSDocAllType, Kind.JSDocUnknownType];
const isAny = (node) => ANY.includes(node.kind)
  || (ts.isTypeReferenceNode(node) && node.typeName.getText() === 'Function');
const nameOf = (node) => node?.name?.getText() ?? '';
const namesIn = (members) => members.map(nameOf).filter(Boolean);

function survey(name, text) {
  const kind = name.endsWith('.d.ts') ? ts.ScriptKind.TS : ts.ScriptKind.JS;
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, kind);
  const lineOf = (place) => file.getLineAndCharacterOfPosition(place).line + 1;
  const found = { any: [], functions: [], members: [], literals: [] };
  const visited = new Set();
  function visit(node, owner) {
    if (visited.has(node)) return;
    visited.add(node);
    if (isAny(node)) found.any.push(lineOf(node.getStart()));
    if (ts.isFunctionLike(node) && node.body) {
      const first = lineOf(node.getStart());
      found.functions.push([nameOf(node) || owner, first, lineOf(node.end) - first + 1]);
    }
    if (ts.isInterfaceDeclaration(node)) found.members.push([nameOf(node), namesIn(node.members)]);
    if (ts.isObjectLiteralExpression(node)) found.literals.push([owner, namesIn(node.properties)]);
    const inner = ts.isReturnStatement(node) ? owner : nameOf(node) || owner;
    for (const each of node.jsDoc ?? []) visit(each, inner);
    ts.forEachChild(node, (child) => visit(child, inner));
  }
  visit(file, '');
  return found;
}

const files = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const found = Object.entries(files).map(([name, text]) => [name, survey(name, text)]);
process.stdout.write(JSON.stringify(Object.fromEntries(found)));
"""


def node(*arguments: object, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run node, and return how it ended."""
    command = ["node", *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def survey(texts: dict[str, str]) -> dict[str, dict[str, list]]:
    """Return what TypeScript's parser finds in files, by name."""
    done = node("-e", SURVEY, WEB / "node_modules/typescript", text=json.dumps(texts))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def scripts() -> list[Path]:
    """Return all scripts and types, but for those of the build and of the demo."""
    found = [*WEB.glob("*.*"), *WEB.glob("*/*.*")]
    typed = [path for path in found if path.name.endswith((".js", ".d.ts"))]
    return sorted(path for path in typed if path.parent.name not in OTHERS)


@cache
def found() -> dict[str, dict[str, list]]:
    """Return what is found in the scripts, by their paths."""
    return survey({path.relative_to(WEB).as_posix(): path.read_text() for path in scripts()})


def longer(functions: list[list], most: int) -> list[str]:
    """Return the names of functions that have more lines."""
    return [name for name, _, lines in functions if lines > most]


def test_the_scripts_are_found():
    names = set(found())
    assert {"pyloader.d.ts", "shared/messages.d.ts", "worker/handlers.js"} <= names
    wings = {path.parent.name for path in WEB.glob("*/*.js")} - OTHERS
    assert {name.partition("/")[0] for name in names if "/" in name} == wings


def test_every_script_is_checked():
    unchecked = [
        path.name
        for path in scripts()
        if path.suffix == ".js" and not path.read_text().startswith("// @ts-check\n")
    ]
    assert unchecked == []


def test_few_types_are_any():
    places = {name: each["any"] for name, each in found().items() if each["any"]}
    assert sum(map(len, places.values())) <= MOST_ANY, places


EVERY_ANY = """
// any word of a comment, and 'any' text, are no types
/** @param {any} a @param {Record<string, any[]>} b @param {*} c @param {?} d */
export function f(a, b, c, d) {
  /** @type {(each: any) => Promise<any>} */
  const g = async (/** @type {any} */ each) => 'any';
  return /** @type {Function} */ (/** @type {any} */ (g));
}
/** @typedef {{value: any}} Holder of anything */
"""


def test_every_way_to_write_any_is_counted():
    types = "export type A = any;\nexport const b: string;\n"
    texts = {"example.js": EVERY_ANY, "example.d.ts": types}
    counted = {name: len(each["any"]) for name, each in survey(texts).items()}
    assert counted == {"example.js": 10, "example.d.ts": 1}


def test_no_function_is_long():
    long = {name: longer(each["functions"], MOST_LINES) for name, each in found().items()}
    assert {name: functions for name, functions in long.items() if functions} == {}


HEADS = ["function f()", "const f = () =>", "class A { f()", "const o = { f:() =>"]


@pytest.mark.parametrize("head", HEADS)
def test_a_long_function_is_found(head):
    tail = " }" if "{" in head else ""
    lines = "\n  g();" * (MOST_LINES - 2)
    for more, expected in (("", []), ("\n  g();", ["f"])):
        text = f"{head} {{{lines}{more}\n}}{tail}"
        functions = survey({"example.js": text})["example.js"]["functions"]
        assert longer(functions, MOST_LINES) == expected


# ---------------------------------------------------------------- the calls


def members(file: str, interface: str) -> set[str]:
    """Return the names that an interface has."""
    [names] = [names for name, names in found()[file]["members"] if name == interface]
    return set(names)


def literal(file: str, *owners: str) -> set[str]:
    """Return the names in the object literals of these names, or that such functions return."""
    literals = found()[file]["literals"]
    return {each for owner, names in literals if owner in owners for each in names}


def handler_functions() -> list[str]:
    """Return the functions of handlers.js that return handlers."""
    functions = found()["worker/handlers.js"]["functions"]
    return [name for name, _, _ in functions if name.endswith("Handlers")]


def test_a_worker_answers_the_calls_that_are_typed():
    names = literal("worker/handlers.js", *handler_functions())
    assert names == members("shared/messages.d.ts", "WorkerCalls")
    assert len(names) == 21


def test_the_page_answers_the_calls_that_are_typed():
    names = literal("page/engine.js", "handlers")
    names |= literal("scheduler/worker_handle.js", "handlers")
    assert names == members("shared/messages.d.ts", "PageCalls")
    assert len(names) == 6


def test_python_has_the_functions_that_are_typed():
    typed = members("worker/bridge.d.ts", "Bridge") | members("boot/python.d.ts", "PackagesBridge")
    defined = set(re.findall(r"^    (?:async )?def (\w+)\(self", BRIDGE.read_text(), re.MULTILINE))
    split = re.findall(r"^    async def (\w+)\(\n        self", BRIDGE.read_text(), re.MULTILINE)
    assert typed <= defined | set(split)
    assert len(typed) > 15


def test_messages_name_types_of_shared_and_public_ones_alone():
    text = (WEB / "shared/messages.d.ts").read_text()
    named = set(re.findall(r"(?:from|import\()\s*'([^']+)'", text))
    assert {name for name in named if not name.startswith("./")} == {"pyloader"}


# `tsc` tells of a line that should be an error and is none.
WRONG_CALLS = """
// @ts-check
/** @typedef {import('WEB/shared/messages.d.ts').WorkerCalls} WorkerCalls */
/** @typedef {import('WEB/shared/messages.d.ts').PageCalls} PageCalls */
/**
 * @param {import('WEB/shared/rpc.js').Rpc<WorkerCalls, PageCalls>} rpc
 * @param {import('WEB/scheduler/worker_handle.js').WorkerHandle} handle
 * @param {import('WEB/scheduler/workers.js').Workers} workers
 * @param {import('WEB/scheduler/scheduler.js').Scheduler} scheduler
 * @param {import('WEB/shared/rpc.js').Handlers<WorkerCalls>} handlers
 */
export async function wrong(rpc, handle, workers, scheduler, handlers) {
  rpc.call('share', { requestsPerOrigin: 1 });
  const { heapBytes } = await handle.call('stats', undefined);
  heapBytes.toFixed();
  // @ts-expect-error -- another name
  rpc.call('shares', { requestsPerOrigin: 1 });
  // @ts-expect-error -- another payload
  rpc.call('share', { requests: 1 });
  // @ts-expect-error -- none
  rpc.call('share');
  // @ts-expect-error -- no such result
  (await handle.call('stats', undefined)).bytes;
  // @ts-expect-error -- no such detail
  handle.call('search', { url: '', options: {} }, { onProgress: ({ percent }) => percent });
  // @ts-expect-error -- another payload
  handle.tell('release', { imageId: '' });
  // @ts-expect-error -- another payload
  workers.broadcast('provide', { name: 1, file: new Blob([]) }, '');
  // @ts-expect-error -- another payload
  workers.tell('withdraw', 'name');
  // @ts-expect-error -- another payload
  workers.announce('service', { base: '' }, '');
  // @ts-expect-error -- another payload
  scheduler.direct('series', { source: '' });
  // @ts-expect-error -- another payload
  scheduler.run({ name: 'metadata', payload: { imageId: '', options: {} }, source: '' });
  // @ts-expect-error -- another result
  handlers.imageIds = () => [1];
  rpc.call('told', 1);
}
"""


def test_wrong_calls_are_errors_of_tsc(tmp_path):
    (tmp_path / "wrong.js").write_text(WRONG_CALLS.replace("WEB", WEB.as_posix()))
    options = json.loads((WEB / "jsconfig.json").read_text())["compilerOptions"]
    options["paths"] = {"pyloader": [(WEB / "pyloader.d.ts").as_posix()]}
    settings = {"compilerOptions": options, "files": ["wrong.js"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings))
    done = node(WEB / "node_modules/typescript/bin/tsc", "--project", tmp_path)
    # Of web/'s own scripts another test would tell.
    errors = re.findall(r"wrong\.js\((\d+),\d+\): error", done.stdout)
    [told] = [n for n, line in enumerate(WRONG_CALLS.splitlines(), 1) if "'told'" in line]
    assert errors == [str(told)], done.stdout
