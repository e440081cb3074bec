"""Python packages in a page: from dist/, as wheels, from an index; and `requests` and `urllib`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.installing import RUN, index, refused, run, start
from tests.support.pages import DIST, built
from tests.support.pages.index_server import SIMPLE_HTML, SIMPLE_JSON, IndexServer, wheel_of
from tests.support.pages.outcome import fail, load
from tests.support.webserver import WebServer

__all__ = ["index", "start"]  # fixtures

LOCK: dict[str, Any] = json.loads(built("pyodide/pyodide-lock.json").read_text())["packages"]
AT_START = {"imagecodecs", "numpy", "pydicom", "pyloader-dicom"}
MIB = 1 << 20
# A loader whose image has the value of an expression in each pixel.
SHOWING = """
import numpy as np
from pyloader import Image, register_loader

@register_loader("{scheme}")
async def load(image_id, context):
    {statement}
    return Image.from_array(np.full((2, 2), {value}, "u2"))
"""

OpenPage = Callable[..., Page]


def asked_since(site: WebServer, since: int) -> list[str]:
    """Return what was asked, without what workers ask to see their policy and that of the page."""
    probes = ("/worker.mjs", "/blank.html")
    return [seen.path for seen in site.seen[since:] if not seen.path.startswith(probes)]


def wheels_asked(site: WebServer, since: int = 0) -> list[str]:
    """Return the files of wheels that were asked for, in order of name."""
    paths = [seen.path.partition("?")[0].rpartition("/")[2] for seen in site.seen[since:]]
    return sorted(path for path in paths if path.endswith(".whl"))


def files_of(*names: str) -> list[str]:
    """Return the files of packages of dist/."""
    return sorted(LOCK[name]["file_name"] for name in names)


# ------------------------------------------------------------------ from dist/


def test_import_alone_is_enough(start, site: WebServer) -> None:
    since = len(site.seen)
    page = start()
    assert wheels_asked(site, since) == [], "all wait for their first use"
    since = len(site.seen)
    lines = run(
        page,
        """
        import importlib.metadata, io
        import nibabel, numpy as np
        image = nibabel.Nifti1Image(np.arange(24, dtype="<i2").reshape(2, 3, 4), np.diag([2, 3, 4, 1]))
        again = nibabel.Nifti1Image.from_bytes(image.to_bytes())
        print(int(again.get_fdata().sum()), again.header.get_zooms(), importlib.metadata.version("nibabel"))
        """,
    )
    assert lines == [
        f"276 (np.float32(2.0), np.float32(3.0), np.float32(4.0)) {LOCK['nibabel']['version']}"
    ]
    assert wheels_asked(site, since) == files_of("nibabel", "packaging"), "numpy is there already"
    since = len(site.seen)
    assert run(page, "import nibabel; print(nibabel.__name__)") == ["nibabel"]
    assert wheels_asked(site, since) == [], "nothing is fetched twice"


def test_what_dist_does_not_have_is_python_s_own_error(start, index: IndexServer) -> None:
    page = start(packageIndexes=[index.simple])
    before = list(index.asked)
    error = page.evaluate(RUN, ["import skimage", [], "mine.py"])["error"]
    assert error["code"] == "loader"
    assert "No module named 'skimage'" in error["message"]
    assert index.asked == before, "an import alone does not ask the network"


def test_names_and_versions(start, site: WebServer) -> None:
    page = start()
    assert run(page, "import nrrd; print(nrrd.__version__)", "pynrrd") == ["1.1.3"]
    since = len(site.seen)
    assert run(page, "print(1)", "pynrrd>=1.1,<2", "PyNRRD", "numpy") == ["1"]
    assert wheels_asked(site, since) == files_of(*AT_START, "micropip")
    since = len(site.seen)
    text = refused(page, "tifffile==1.2")
    assert "'tifffile==1.2' is not available" in text
    assert f"dist/pyodide/ has tifffile {LOCK['tifffile']['version']}" in text
    assert "pynrrd==0.1" in refused(page, "pynrrd==0.1")
    assert "numpy==2.2.5 is already installed" in refused(page, "numpy>=3")
    assert "not a requirement" in refused(page, "such a thing")
    assert asked_since(site, since) == []
    assert run(page, "import tifffile; print(tifffile.__version__)", "tifffile>1.2") == [
        LOCK["tifffile"]["version"]
    ]


def test_micropip_believes_what_is_there(start) -> None:
    lines = run(
        start(),
        """
        import micropip
        listed = micropip.list()
        print(sorted(listed))
        print(listed["numpy"].version)
        """,
        "pynrrd",
    )
    assert lines[0] == str(sorted([*AT_START, "micropip", "pynrrd", "typing-extensions"]))
    assert lines[1] == LOCK["numpy"]["version"]


def test_script_tag(open_page: OpenPage, site: WebServer) -> None:
    source = SHOWING.format(scheme="tagged", statement="import nrrd", value="len(nrrd.__version__)")
    tag = '<script type="text/python" data-pyloader data-packages="pynrrd>=1.1 tifffile">'
    site.put("/tag.html", f'<script src="/pyloader.js"></script>{tag}{source}</script>'.encode())
    page = open_page("/tag.html", script="")
    assert load(page, "tagged:x")["pixels"].max() == len("1.1.3")
    assert run(page, "import sys; print('tifffile' in __import__('micropip').list())") == ["True"]


def test_file_of_dist_that_is_missing_or_another(start, site: WebServer) -> None:
    page = start()
    path = f"/pyodide/{LOCK['pynrrd']['file_name']}"
    original = (DIST / path[1:]).read_bytes()
    site.put(path, original[:-1] + b"!")
    try:
        text = refused(page, "pynrrd")
        assert "pynrrd of dist/ could not be installed" in text
        assert "is not the file that the build made" in text
        assert "is not the file that the build made" in refused(page, source="import nrrd")
    finally:
        del site.made[path]
    assert run(page, "import nrrd; print(nrrd.__version__)", "pynrrd") == ["1.1.3"]


# ------------------------------------------------------------------ wheels of the page


def test_wheel_beside_the_page_and_what_it_needs(start, site: WebServer) -> None:
    modules = {"near/__init__.py": "import nrrd\nanswer = 42", "near/words.txt": "hello"}
    site.put("/wheels/near-1.0-py3-none-any.whl", wheel_of("near", modules, ("pynrrd >=1.1",)))
    page = start()
    since = len(site.seen)
    source = """
    import importlib.metadata, importlib.resources
    import near
    print(near.answer, importlib.metadata.version("near"), near.nrrd.__version__)
    print(importlib.resources.read_text("near", "words.txt"))
    """
    assert run(page, source, "wheels/near-1.0-py3-none-any.whl") == ["42 1.0 1.1.3", "hello"]
    assert wheels_asked(site, since) == sorted(
        [
            *files_of(*AT_START, "micropip", "pynrrd", "typing-extensions"),
            "near-1.0-py3-none-any.whl",
        ]
    )
    assert run(page, source, "near") == ["42 1.0 1.1.3", "hello"], "it is known by name too"
    assert "near==1.0 is already installed" in refused(page, "near==2.0")


def test_own_version_of_a_package_of_dist_is_not_mixed_with_that(start, site: WebServer) -> None:
    name = "pynrrd-9.0-py3-none-any.whl"
    site.put(f"/{name}", wheel_of("pynrrd", {"nrrd.py": "__version__ = '9.0'"}, version="9.0"))
    site.put("/fork-1.0-py3-none-any.whl", wheel_of("fork", {"tifffile.py": "mine = True"}))
    page = start()
    assert run(page, "import nrrd; print(nrrd.__version__)", name) == ["9.0"]
    assert run(page, "import nrrd; print(nrrd.__version__)", "pynrrd") == ["9.0"]
    assert "takes the place of tifffile" in refused(page, "fork-1.0-py3-none-any.whl")


def test_wheel_with_a_shared_library(page: Page, site: WebServer) -> None:
    modules = {
        "native/__init__.py": "from native import _imcd",
        "native/_imcd.abi3.so": (DIST / "pyodide/imagecodecs._imcd.wasm").read_bytes(),
    }
    tag = "cp312-abi3-pyemscripten_2025_0_wasm32"
    site.put(f"/native-1.0-{tag}.whl", wheel_of("native", modules, tag=tag))
    source = """
    from native import _imcd
    print(list(_imcd.delta_encode(b"abcd")), _imcd.__file__)
    """
    (line,) = run(page, source, f"native-1.0-{tag}.whl")
    assert line.startswith("[97, 1, 1, 1] /lib/python3.13/site-packages/native/_imcd.")


def test_wheels_that_are_broken(page: Page, site: WebServer) -> None:
    good = wheel_of("bad", {"bad.py": "answer = 1\n" * 100})
    broken = {
        "html": (
            b"<!DOCTYPE html><title>My application</title>",
            "answered with a file that is not a wheel",
        ),
        "cut": (good[: len(good) // 2], "is broken (BadZipFile"),
        "flipped": (good.replace(b"answer = 1", b"answer = 2", 1), "Bad CRC-32"),
        "linux": (wheel_of("bad", {"bad.so": b"\x7fELF\2\1"}), "a library for another machine"),
        "other": (wheel_of("good", {"bad.py": ""}), "does not start with 'bad'"),
    }
    for where, (body, words) in broken.items():
        path = site.put(f"/{where}/bad-1.0-py3-none-any.whl", body)
        text = refused(page, path[1:])
        assert words in text
        assert f"the wheel {site.url}{path} " in text
    text = refused(page, "none/bad-1.0-py3-none-any.whl")
    assert f"the wheel {site.url}/none/bad-1.0-py3-none-any.whl answered with status 404" in text
    lines = run(page, "import importlib.util; print(importlib.util.find_spec('bad'))")
    assert lines == ["None"], "nothing of them is left"
    site.put("/good/bad-1.0-py3-none-any.whl", good)
    assert run(page, "import bad; print(bad.answer)", "good/bad-1.0-py3-none-any.whl") == ["1"]


def test_library_that_does_not_fit_leaves_nothing(page: Page, site: WebServer) -> None:
    modules = {"torn/__init__.py": "", "torn/_x.cpython-313-wasm32-emscripten.so": b"\0asm\1\0\0\0"}
    site.put("/torn-1.0-py3-none-any.whl", wheel_of("torn", modules))
    assert "torn-1.0-py3-none-any.whl cannot be installed" in refused(
        page, "torn-1.0-py3-none-any.whl"
    )
    source = """
    import importlib.metadata, importlib.util
    print(importlib.util.find_spec("torn"), list(importlib.metadata.distributions(name="torn")))
    """
    assert run(page, source) == ["None []"]


def test_wheels_that_do_not_fit_are_not_fetched(page: Page, site: WebServer) -> None:
    run(page, "import micropip")
    since = len(site.seen)
    text = refused(page, "bad-1.0-cp313-cp313-manylinux_2_17_x86_64.whl")
    assert "'manylinux_2_17_x86_64' is not compatible" in text
    assert "built for cp313-cp313-pyemscripten_2025_0_wasm32" in text
    assert "wrong number of parts" in refused(page, "bad.whl")
    assert "cp312" in refused(page, "bad-1.0-cp312-cp312-pyemscripten_2025_0_wasm32.whl")
    assert asked_since(site, since) == []


# ------------------------------------------------------------------ elsewhere


def test_nothing_is_fetched_from_elsewhere_unless_the_page_says_so(
    open_page: OpenPage, site: WebServer, index: IndexServer
) -> None:
    page = open_page()
    requests: list[str] = []
    page.context.on("request", lambda request: requests.append(request.url))
    page.evaluate("pyloader.init({workers: 1})")
    file = "far-1.0-py3-none-any.whl"
    index.publish("far", wheel_of("far", {"far.py": ""}), file, SIMPLE_JSON)
    site.put("/a-1.0-py3-none-any.whl", wheel_of("a", {"a.py": ""}, ("far",)))
    away = f"far @ {index.origin}/files/{file}"
    site.put("/b-1.0-py3-none-any.whl", wheel_of("b", {"b.py": ""}, (away,)))
    before = list(index.asked)
    for wanted in ("far", "scikit-image", "a-1.0-py3-none-any.whl"):
        text = refused(page, wanted)
        assert "dist/pyodide/ does not have it, and this page allows no package index" in text
        assert "packageIndexes" in text
    assert "a-1.0-py3-none-any.whl needs another package: the Python package 'far'" in text
    for wanted in (
        f"{index.origin}/files/{file}",
        away,
        "b-1.0-py3-none-any.whl",
        "ftp://x/" + file,
    ):
        assert "was not fetched: it is neither" in refused(page, wanted)
    statement = "task = asyncio.ensure_future(micropip.install('far')); await asyncio.wait([task])"
    value = "int(isinstance(task.exception(), ValueError))"
    source = SHOWING.format(scheme="by-hand", statement=statement, value=value)
    run(page, f"import asyncio, micropip\n{source}")
    assert load(page, "by-hand:x")["pixels"].max() == 1, "a loader that asks micropip itself"
    assert index.asked == before
    assert {url.split("/")[2] for url in requests} == {site.url.split("/")[2]}
    assert any(url.endswith("/a-1.0-py3-none-any.whl") for url in requests), "the log sees workers"
    assert run(page, "print('works')") == ["works"]


@pytest.mark.parametrize("kind", [SIMPLE_HTML, SIMPLE_JSON])
def test_index_that_the_page_allows(start, site: WebServer, index: IndexServer, kind: str) -> None:
    file, needed = "far-1.0-py3-none-any.whl", "deep-2.0-py3-none-any.whl"
    index.publish("far", wheel_of("far", {"far.py": "import deep"}, ("deep >=2",)), file, kind)
    deep = wheel_of("deep", {"deep.py": "import nrrd"}, ("pynrrd",), version="2.0")
    index.publish("deep", deep, needed, kind)
    index.publish("pynrrd", deep, needed, kind)
    index.asked.clear()
    page = start(packageIndexes=[f"{index.simple}/"])
    assert run(page, "import far; print(far.deep.nrrd.__version__)", "far") == ["1.1.3"]
    expected = ["/simple/far/", f"/files/{file}", "/simple/deep/", f"/files/{needed}"]
    assert index.asked == expected, "what dist/ has is not asked for elsewhere"
    index.asked.clear()
    assert run(page, "print(1)", f"{index.origin}/files/{file}", "far>=1") == ["1"]


VERSIONS = {
    "1.0": {},
    "1.1": {"requires-python": ">=3.10,<4"},
    "1.2": {"requires-python": "a mistake"},
    "2.0": {"requires-python": ">=3.99"},
    "2.1": {"requires-python": "<3.13"},
    "3.0": {"yanked": True},
    "3.1": {"yanked": "it forgets <pixels>"},
}


@pytest.mark.parametrize("kind", [SIMPLE_HTML, SIMPLE_JSON])
def test_versions_for_another_python_or_withdrawn_are_left_out(
    start, index: IndexServer, kind: str
) -> None:
    index.publish_versions("many", VERSIONS, kind)
    shown = "import many; print(many.version)"
    assert run(start(packageIndexes=[index.simple]), shown, "many") == ["1.2"]
    assert run(start(packageIndexes=[index.simple]), shown, "many<1.2") == ["1.1"]
    assert run(start(packageIndexes=[index.simple]), shown, "many==3.1") == ["3.1"]
    page = start(packageIndexes=[index.simple])
    text = refused(page, "many>=2")
    assert "many-2.1-py3-none-any.whl needs Python <3.13, and this is 3.13." in text
    assert "many-3.1-py3-none-any.whl was yanked" in text


def test_wheel_that_says_itself_that_it_is_for_another_python(start, index: IndexServer) -> None:
    body = wheel_of("late", {"late.py": ""}, python=">=3.99")
    index.publish("late", body, "late-1.0-py3-none-any.whl", SIMPLE_HTML)
    text = refused(start(packageIndexes=[index.simple]), "late")
    assert "late-1.0-py3-none-any.whl needs Python >=3.99, and this is 3.13." in text


def test_index_without_what_is_wanted(start, index: IndexServer) -> None:
    page = start(packageIndexes=[index.simple])
    text = refused(page, "scikit-image")
    assert (
        "'scikit-image' is not available: dist/pyodide/ does not have it, and no index has it"
        in text
    )
    assert f"{index.simple}/scikit-image/ answered with status 404" in text
    body = wheel_of("onlylinux", {"onlylinux.py": ""})
    index.publish(
        "onlylinux", body, "onlylinux-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", SIMPLE_HTML
    )
    text = refused(page, "onlylinux")
    assert "the index has no wheel of it that suits" in text
    assert "cp313-cp313-pyemscripten_2025_0_wasm32 or cp313-cp313-pyodide_2025_0_wasm32" in text
    body = wheel_of("forged", {"forged.py": ""})
    index.publish("forged", body, "forged-1.0-py3-none-any.whl", SIMPLE_JSON, digest="0" * 64)
    text = refused(page, "forged")
    assert "forged-1.0-py3-none-any.whl is not the file that its address or its index" in text
    assert "not 0000" in text
    assert "no index has it" in refused(page, "pynrrd==0.1")
    assert "pynrrd 1.1.3" in refused(page, "pynrrd==0.1")
    assert run(page, "import nrrd; print(nrrd.__version__)", "pynrrd") == ["1.1.3"]


def test_requirements_that_contradict(start, site: WebServer, index: IndexServer) -> None:
    old = wheel_of("pynrrd", {"nrrd.py": "__version__ = '1.0'"})
    index.publish("pynrrd", old, "pynrrd-1.0-py3-none-any.whl", SIMPLE_JSON)
    page = start(packageIndexes=[index.simple])
    text = refused(page, "pynrrd", "pynrrd==1.0")
    assert "another version of it is already installed" in text
    assert run(page, "import nrrd; print(nrrd.__version__)", "pynrrd==1.0") == ["1.0"]


# ------------------------------------------------------------------ at start, and within a load


def test_packages_of_init_and_their_progress(open_page: OpenPage, site: WebServer) -> None:
    modules = {"big.py": "", "ballast": np.random.default_rng(1).bytes(MIB)}
    site.put("/big-1.0-py3-none-any.whl", wheel_of("big", modules))
    page = open_page()
    found = page.evaluate(
        """async () => {
          const boot = [], packages = [];
          pyloader.events.addEventListener('bootprogress', ({ detail }) => boot.push(detail));
          pyloader.events.addEventListener('packageprogress', ({ detail }) => packages.push(detail));
          await pyloader.init({ workers: 1, packages: ['nibabel', 'big-1.0-py3-none-any.whl'] });
          return { boot, packages };
        }"""
    )
    percents = [detail["percentComplete"] for detail in found["boot"]]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    stages = list(dict.fromkeys(detail["stage"] for detail in found["boot"]))
    assert stages == ["runtime", "packages", "extra", "ready"]
    assert f"stage: {' | '.join(map(repr, stages))};" in (DIST / "pyloader.d.ts").read_text()
    extra = [detail["percentComplete"] for detail in found["boot"] if detail["stage"] == "extra"]
    assert 70 <= extra[0] < extra[-1] < 100
    big = [each for each in found["packages"] if each["file"] == "big-1.0-py3-none-any.whl"]
    assert big[-1]["loaded"] == big[-1]["total"] == len(site.made["/big-1.0-py3-none-any.whl"])
    assert big[-1]["percentComplete"] == 100
    assert {each["file"] for each in found["packages"]} >= {*files_of("nibabel", "packaging")}
    assert run(page, "import big, nibabel; print(1)") == ["1"]


def test_package_of_init_that_fails(open_page: OpenPage, index: IndexServer) -> None:
    page = open_page()
    error = page.evaluate(
        "pyloader.init({workers: 1, packages: ['scikit-image']}).catch(describeError)"
    )
    assert (error["kind"], error["code"], error["stage"]) == ("PackageError", "package", "boot")
    assert "scikit-image" in error["message"]
    assert page.evaluate("pyloader.init({workers: 1}).then(() => 'started')") == "started"


def test_first_use_within_a_load(start, site: WebServer) -> None:
    page = start()
    statement = "nrrd = await context.package('nrrd', 'pynrrd>=1.1')"
    source = SHOWING.format(scheme="lazy", statement=statement, value="len(nrrd.__version__)")
    run(page, source)
    since = len(site.seen)
    found = page.evaluate(
        "(ids) => Promise.all(ids.map((id) => pyloader.loadImage(id).then((i) => i.maxPixelValue)))",
        [f"lazy:{number}" for number in range(6)],
    )
    assert found == [5] * 6
    expected = files_of(*AT_START, "micropip", "pynrrd", "typing-extensions")
    assert wheels_asked(site, since) == expected, "once for all that wait"
    statement = "await context.package('skimage', 'scikit-image')"
    run(page, SHOWING.format(scheme="never", statement=statement, value="0"))
    error = fail(page, "never:x")
    assert (error["kind"], error["code"], error["stage"]) == ("PackageError", "package", "loader")
    assert error["imageId"] == "never:x"
    assert load(page, "lazy:again")["rows"] == 2


def test_load_that_waits_for_a_package_is_not_silent(start, index: IndexServer) -> None:
    body = wheel_of("slow", {"slow.py": "answer = 7", "ballast": bytes(1000)})
    index.publish("slow", body, "slow-1.0-py3-none-any.whl", SIMPLE_JSON)
    page = start(packageIndexes=[index.simple], timeout=1500, requestTimeout=1000)
    run(page, "import micropip")
    statement = "slow = await context.package('slow')"
    run(page, SHOWING.format(scheme="slow", statement=statement, value="slow.answer"))
    index.seconds_per_piece = 0.4
    try:
        # Nine pieces: more than twice the time that a load may be silent.
        assert load(page, "slow:x")["pixels"].max() == 7
        index.seconds_per_piece = 30
        index.publish("slower", body, "slower-1.0-py3-none-any.whl", SIMPLE_JSON)
        assert "no byte came for 1000 ms" in refused(page, "slower")
    finally:
        index.seconds_per_piece = 0


def test_two_workers(open_page: OpenPage, site: WebServer) -> None:
    site.put("/both-1.0-py3-none-any.whl", wheel_of("both", {"both.py": "answer = 3"}, ("pynrrd",)))
    page = open_page()
    page.evaluate("pyloader.init({workers: 2})")
    since = len(site.seen)
    source = SHOWING.format(scheme="both", statement="import both", value="both.answer")
    run(page, source, "both-1.0-py3-none-any.whl")
    asked = wheels_asked(site, since)
    assert all(asked.count(file) <= 2 for file in asked)
    for number in range(4):
        assert load(page, f"both:{number}")["pixels"].max() == 3


# ------------------------------------------------------------------ requests and urllib

ASKING = """
import json, requests, urllib.error, urllib.request

site = "{site}"
got = requests.get(site + "/bytes.bin", timeout=5)
print(got.status_code, got.content == bytes(range(256)), requests.get(site + "/text.json").json())
try:
    requests.get(site + "/none").raise_for_status()
except requests.HTTPError as error:
    print("HTTPError", error.response.status_code)
try:
    requests.get("{other}/nocors/text.txt")
except requests.ConnectionError as error:
    print("ConnectionError")

with urllib.request.urlopen(site + "/bytes.bin", timeout=5) as answer:
    print(answer.status, answer.reason, answer.headers["Content-Type"], answer.read() == bytes(range(256)))
print(urllib.request.urlopen(site + "/text.txt").read().decode())
print(urllib.request.urlopen("data:,hello").read())
try:
    urllib.request.urlopen(site + "/none")
except urllib.error.HTTPError as error:
    print("HTTPError", error.code, error.reason, error.read())
try:
    urllib.request.urlopen("{other}/nocors/text.txt")
except urllib.error.URLError as error:
    print("URLError", "Access-Control-Allow-Origin" in str(error.reason))
try:
    urllib.request.urlopen("text.txt")
except ValueError as error:
    print("ValueError", error)
"""
ANSWERED = [
    "200 True ['grün']",
    "HTTPError 404",
    "ConnectionError",
    "200 OK application/octet-stream True",
    "grün",
    "b'hello'",
    "HTTPError 404 Not Found b'nothing here\\n'",
    "URLError True",
    "ValueError unknown url type: 'text.txt'",
]


@pytest.mark.parametrize("workers", [1, 0])
def test_requests_and_urllib(open_page: OpenPage, site: WebServer, workers: int) -> None:
    site.put("/bytes.bin", bytes(range(256)))
    site.put("/text.txt", "grün".encode())
    site.put("/text.json", '["grün"]'.encode())
    page = open_page()
    page.evaluate("(workers) => pyloader.init({workers})", workers)
    source = ASKING.format(site=site.url, other=site.other_origin)
    lines = run(page, source)
    assert [line for line in lines if "Failed to fetch" not in line] == ANSWERED
    seen = site.asked("/bytes.bin")[-1]
    assert "python" not in seen.headers["user-agent"].lower()


def test_urllib_within_a_load_and_what_it_sends(start, site: WebServer) -> None:
    site.put("/bytes.bin", bytes(range(256)))
    page = start(headers={"X-Tenant": "a"})
    statement = (
        f"import urllib.request as r; "
        f"request = r.Request('{site.url}/bytes.bin?mine', headers={{'X-Mine': '1'}}); "
        f"found = r.urlopen(request).read()"
    )
    run(page, SHOWING.format(scheme="asks", statement=statement, value="sum(found) // 2"))
    assert load(page, "asks:x")["pixels"].max() == sum(range(256)) // 2
    seen = site.asked("/bytes.bin")[-1]
    assert seen.headers["x-mine"] == "1"
    assert "x-tenant" not in seen.headers, "they bypass pyloader's requests"


def test_requests_within_loads_at_the_same_time(start, index: IndexServer) -> None:
    index.files |= {f"/{number}": ("image/x", bytes([number] * 80)) for number in range(4)}
    index.seconds_per_piece = 0.02
    page = start()
    statement = f"found = requests.get('{index.origin}/' + image_id.rest).content"
    source = SHOWING.format(scheme="asks-all", statement=statement, value="sum(found) // 80")
    run(page, f"import requests\n{source}")
    found = page.evaluate(
        "(ids) => Promise.all(ids.map((id) => pyloader.loadImage(id).then((i) => i.maxPixelValue)))",
        [f"asks-all:{number}" for number in range(4)],
    )
    assert found == [0, 1, 2, 3]


def test_body_that_a_page_cannot_read_as_bytes(open_page: OpenPage, site: WebServer) -> None:
    site.put("/marked.bin", b"\xff\xfe" + bytes(62))
    page = open_page()
    page.evaluate("pyloader.init({workers: 0})")
    source = f"""
    import urllib.error, urllib.request
    try:
        print(len(urllib.request.urlopen("{site.url}/marked.bin").read()))
    except urllib.error.URLError as error:
        print(error.reason)
    """
    (line,) = run(page, source)
    assert "begins with a byte order mark" in line


def test_packages_on_the_page_itself(open_page: OpenPage, site: WebServer) -> None:
    site.put("/here-1.0-py3-none-any.whl", wheel_of("here", {"here.py": ""}, ("pynrrd",)))
    page = open_page()
    page.evaluate("pyloader.init({workers: 0})")
    source = "import here, nibabel, nrrd; print(nibabel.__version__)"
    assert run(page, source, "here-1.0-py3-none-any.whl") == [LOCK["nibabel"]["version"]]
    assert "scikit-image" in refused(page, "scikit-image")
