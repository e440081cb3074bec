"""The wheel and the sdist, as their users have them: installed outside of the repository."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from zipfile import ZipFile

import pytest

import pyloader
from pyloader.host import EXTRAS

ROOT = Path(pyloader.__file__).parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "web/build/metadata.py")
SCRIPT = """
import asyncio

import numpy as np
from pyloader import Context, Image, ImageId, __version__, load_image, register_loader


@register_loader("ramp")
async def load(image_id: ImageId, context: Context) -> Image:
    return Image.from_array(np.arange(12, dtype=np.uint16).reshape(3, 4))


async def main() -> None:
    image = await load_image("ramp:a")
    bits: int = image.pixels.dtype.itemsize
    print(__version__, bits, *image.pixels.shape, int(image.pixels.sum()))


asyncio.run(main())
"""


def run(*command: object, cwd: Path) -> str:
    """Run a command, and return what it prints."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_of_sources(folder: Path) -> Path:
    """Copy what the packages are made of."""
    shutil.copytree(ROOT / "pyloader", folder / "pyloader")
    for name in SOURCES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def build(folder: Path) -> dict[str, Path]:
    """Build in a folder; return the files by suffix."""
    run(
        *(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist"),
        *("-d", "made"),
        cwd=folder,
    )
    return {path.suffix: path for path in (folder / "made").iterdir()}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Path]:
    return build(copy_of_sources(tmp_path_factory.mktemp("sources")))


@pytest.fixture(scope="module")
def installed(made, tmp_path_factory) -> Path:
    """Install the wheel into an environment that has else what this one has."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv/bin/python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps"),
        *("--no-index", made[".whl"]),
        cwd=folder,
    )
    [site] = (folder / "venv/lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    return python


def test_names_and_version(made):
    version = pyloader.__version__
    names = {path.name for path in made.values()}
    assert names == {
        f"pyloader_dicom-{version}-py3-none-any.whl",
        f"pyloader_dicom-{version}.tar.gz",
    }


def test_the_same_sources_give_the_same_bytes(made, tmp_path):
    again = build(copy_of_sources(tmp_path))
    for suffix, path in made.items():
        digests = [hashlib.sha256(each.read_bytes()) for each in (path, again[suffix])]
        assert digests[0].digest() == digests[1].digest(), suffix


def test_the_index_would_take_them(made, tmp_path):
    told = run(sys.executable, "-m", "twine", "check", "--strict", *made.values(), cwd=tmp_path)
    assert told.count("PASSED") == 2, told


def test_wheel_of_the_sdist_is_the_wheel(made, tmp_path):
    with tarfile.open(made[".gz"]) as archive:
        archive.extractall(tmp_path, filter="data")
    [folder] = tmp_path.iterdir()
    assert build(folder)[".whl"].read_bytes() == made[".whl"].read_bytes()


def test_package_works_where_it_is_installed(installed, tmp_path):
    version = pyloader.__version__
    (tmp_path / "script.py").write_text(SCRIPT)
    assert run(installed, "script.py", cwd=tmp_path).split() == [version, "2", "3", "4", "66"]
    where = "import pyloader; print(pyloader.__file__)"
    assert str(installed.parents[1]) in run(installed, "-c", where, cwd=tmp_path)
    program = installed.with_name("pyloader")
    assert run(program, "--version", cwd=tmp_path) == f"pyloader {version}\n"
    found = "from importlib.metadata import version; print(version('pyloader-dicom'))"
    assert run(installed, "-c", found, cwd=tmp_path).strip() == version


def test_types_are_found_where_it_is_installed(installed, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", installed)
    assert "no issues" in run(*mypy, "script.py", cwd=tmp_path)
    (tmp_path / "wrong.py").write_text(SCRIPT.replace("bits: int", "bits: str"))
    done = subprocess.run(
        [*map(str, mypy), "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Incompatible types" in done.stdout, done.stdout


def metadata_of(wheel: Path) -> str:
    """Return the metadata of a wheel."""
    with ZipFile(wheel) as archive:
        [name] = (name for name in archive.namelist() if name.endswith("/METADATA"))
        return archive.read(name).decode()


def test_extras_are_those_that_errors_name(made):
    needed = re.findall(r"Requires-Dist: (\w+); extra == '(\w+)'", metadata_of(made[".whl"]))
    brought = {package: extra for package, extra in needed if extra in EXTRAS.values()}
    assert brought == EXTRAS


def test_without_an_address_there_are_no_links(made):
    text = metadata_of(made[".whl"])
    assert "Project-URL" not in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not re.match(r"\w+:|#", link)] == []


def test_with_an_address_all_links_are_absolute(tmp_path):
    folder = copy_of_sources(tmp_path)
    settings = folder / "pyproject.toml"
    address = "https://code.example/team/pyloader"
    text = settings.read_text().replace('repository = ""', f'repository = "{address}/"')
    settings.write_text(text)
    text = metadata_of(build(folder)[".whl"])
    assert f"Project-URL: Repository, {address}\n" in text
    assert f"]({address}/blob/HEAD/web/guide.md)" in text
    assert f"]({address}/raw/HEAD/web/screenshot.png)" in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not re.match(r"https?:|#", link)] == []


def test_links_of_any_kind():
    path = ROOT / "web/build/metadata.py"
    spec = spec_from_file_location("metadata", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    text = "![a](b.png)\n\n[c](d/e.md#f) [g](https://h) [i](#j) **[k](l.md)**\n"
    assert module.readable(text, "") == "c [g](https://h) [i](#j) **k**\n"
    assert module.readable(text, "https://r") == (
        "![a](https://r/raw/HEAD/b.png)\n\n[c](https://r/blob/HEAD/d/e.md#f) [g](https://h) "
        "[i](#j) **[k](https://r/blob/HEAD/l.md)**\n"
    )
