"""The bill of materials of dist/, against CycloneDX's own schema and against what is there."""

from __future__ import annotations

import json
import re
from zipfile import ZipFile

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import pyloader
from tests.support.pages import DIST
from web.build.fetch import manifest

BILL = DIST / "sbom.cdx.json"


def test_is_cyclonedx() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(BILL.read_text()) is None


def test_lists_what_the_build_takes_from_outside() -> None:
    bill = json.loads(BILL.read_text())
    assert bill["metadata"]["component"]["version"] == pyloader.__version__
    listed = {each["name"]: each for each in bill["components"]}
    for name, asset in manifest().items():
        found = listed[name]
        assert found["version"] == asset.version
        assert found["hashes"] == [{"alg": "SHA-256", "content": asset.sha256}]
    for name in ("@cornerstonejs/core", "@cornerstonejs/tools", "@kitware/vtk.js"):
        assert listed[name]["purl"].startswith(f"pkg:npm/{name.replace('@', '%40')}@")


def test_every_wheel_of_dist_is_in_it() -> None:
    listed = {
        re.sub(r"[-_.]+", "-", each["name"]) for each in json.loads(BILL.read_text())["components"]
    }
    wheels = list((DIST / "pyodide").glob("*.whl"))
    assert wheels
    for path in wheels:
        with ZipFile(path) as archive:
            [name] = {each.split("/")[0] for each in archive.namelist() if ".dist-info/" in each}
        package = re.sub(r"[-_.]+", "-", name.split("-")[0])
        assert package in listed | {"pyloader-dicom"}, package
