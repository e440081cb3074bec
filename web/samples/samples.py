"""Make dist/samples: images from pydicom's wheel, and generated ones."""

import json
import shutil
from pathlib import Path
from typing import Any

from web.build.archives import Files, read_zip
from web.build.common import PRODUCTS, once, say
from web.build.fetch import Asset
from web.samples import dicomweb, phantom, pictures

HERE = Path(__file__).parent
SAMPLES = PRODUCTS / "samples"
CATALOGUE = HERE / "samples.json"
CARRIED_IN = "pydicom/data/test_files/"
OWN = "made by the build, MIT licence"


def samples(pydicom: Asset) -> dict[str, Path]:
    """Return the sample files by their path in dist/samples/."""
    once(SAMPLES, [pydicom.sha256, CATALOGUE, *sorted(HERE.glob("*.py"))], lambda: make(pydicom))
    return {
        str(path.relative_to(SAMPLES)): path
        for path in sorted(SAMPLES.rglob("*"))
        if path.is_file()
    }


def make(pydicom: Asset) -> None:
    """Write all sample files and their lists."""
    say("making the sample images")
    shutil.rmtree(SAMPLES, ignore_errors=True)
    catalogue = json.loads(CATALOGUE.read_text())
    carried = read_zip(pydicom.path)
    write({row["file"]: carried[CARRIED_IN + row["file"]] for row in catalogue})
    volume = {f"volume/{name}": content for name, content in phantom.files().items()}
    write(volume)
    origin = f"pydicom {pydicom.version}, its test files, {pydicom.license} licence"
    listed = [volume_row(list(volume)), *(row | {"origin": origin} for row in catalogue)]
    write(pictures.files())
    write({f"dicom-web/{name}": content for name, content in dicomweb.files().items()})
    write({"samples.json": text(listed), "web.json": text(WEB), "nifti.json": text(NIFTI)})


def volume_row(paths: list[str]) -> dict[str, Any]:
    """Return the volume's row of the list; the imageIds are relative to the list's own URL."""
    return {
        "file": paths[len(paths) // 2],
        "title": "CT volume, 40 slices",
        "description": "A synthetic chest: 256 x 256, signed 16 bit, 0.8 mm pixels, 2 mm apart",
        "origin": OWN,
        "imageIds": [f"wadouri:{path}" for path in paths],
    }


def picture_row(scheme: str, file: str, title: str, description: str) -> dict[str, Any]:
    """Return a row of a list for a scheme other than ``wadouri:``."""
    return {
        "file": file,
        "title": title,
        "description": description,
        "origin": OWN,
        "imageIds": [f"{scheme}:{file}"],
    }


WEB = [
    picture_row("web", "web/slice.png", "PNG, 16-bit grey", "A CT slice, 256 x 256"),
    picture_row("web", "web/skin.png", "PNG, RGB", "A mole on skin, 360 x 270"),
    picture_row("web", "web/pages.tif", "TIFF, 10 pages", "Slices of the chest, 16-bit grey"),
    picture_row("web", "web/heart.gif", "GIF, animated", "A beating heart, 16 frames"),
    picture_row("web", "web/labels.png", "PNG, RGBA", "Labels of the slice, see-through"),
]
NIFTI = [
    picture_row("nifti", "nifti/head.nii.gz", "Head, 4-D", "80 x 96 x 64, 6 times, tilted, int16"),
    picture_row(
        "nifti", "nifti/sagittal.nii", "Head, sagittal scan", "64 x 96 x 80, not compressed"
    ),
]


def text(rows: list[dict[str, Any]]) -> bytes:
    """Return a list as JSON."""
    return (json.dumps(rows, indent=2) + "\n").encode()


def write(files: Files) -> None:
    """Write files into the samples' folder."""
    for name, content in files.items():
        target = SAMPLES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
