"""The sample images of dist/samples: files from pydicom's wheel, and a volume of our own."""

import json
import shutil
from pathlib import Path
from typing import Any

import phantom
from archives import Files, read_zip
from common import PRODUCTS, RECIPES, once, say
from fetch import Asset

SAMPLES = PRODUCTS / "samples"
CATALOGUE = RECIPES / "samples.json"
CARRIED_IN = "pydicom/data/test_files/"
MAKERS = [RECIPES / name for name in ("dicom_file.py", "phantom.py", "samples.py")]


def samples(pydicom: Asset) -> dict[str, Path]:
    """Return the sample files by their path in dist/samples/."""
    once(SAMPLES, [pydicom.sha256, CATALOGUE, *MAKERS], lambda: make(pydicom))
    return {
        str(path.relative_to(SAMPLES)): path
        for path in sorted(SAMPLES.rglob("*"))
        if path.is_file()
    }


def make(pydicom: Asset) -> None:
    """Write all sample files and the list of them."""
    say("making the sample images")
    shutil.rmtree(SAMPLES, ignore_errors=True)
    catalogue = json.loads(CATALOGUE.read_text())
    carried = read_zip(pydicom.path)
    write({row["file"]: carried[CARRIED_IN + row["file"]] for row in catalogue})
    volume = {f"volume/{name}": content for name, content in phantom.files().items()}
    write(volume)
    origin = f"pydicom {pydicom.version}, its test files, {pydicom.license} licence"
    listed = [volume_row(list(volume)), *(row | {"origin": origin} for row in catalogue)]
    write({"samples.json": (json.dumps(listed, indent=2) + "\n").encode()})


def volume_row(paths: list[str]) -> dict[str, Any]:
    """Return the volume's row of the list; the imageIds are relative to the list's own URL."""
    return {
        "file": paths[len(paths) // 2],
        "title": "CT volume, 40 slices",
        "description": "A synthetic chest: 256 x 256, signed 16 bit, 0.8 mm pixels, 2 mm apart",
        "origin": "made by the build, MIT licence",
        "imageIds": [f"wadouri:{path}" for path in paths],
    }


def write(files: Files) -> None:
    """Write files into the samples' folder."""
    for name, content in files.items():
        target = SAMPLES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
