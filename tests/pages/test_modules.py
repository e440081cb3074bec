"""Metadata in the page: each frame's own, in any character set, the same by file and by DICOMweb."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian

from tests.support import builders, corpus
from tests.support.charsets import NAMES, encoded
from tests.support.dicom_json import as_json
from tests.support.enhanced import CORONAL, enhanced, group, merged
from tests.support.webserver import WebServer

# Answers with all modules, typed arrays as lists.
ALL_MODULES = """async ([imageId, json]) => {
  if (json) await pyloader.addMetadata({ [imageId]: json });
  return JSON.parse(JSON.stringify(await pyloader.loadMetadata(imageId),
    (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value)));
}"""
ANSWERS = """async ([imageIds, types]) => {
  const found = [];
  for (const imageId of imageIds) {
    await pyloader.loadImage(imageId);
    found.push(types.map((type) => pyloader.metaData(type, imageId)));
  }
  return found;
}"""


def three_frames() -> Dataset:
    """Return an enhanced object whose frames differ in all that may differ."""
    frames = [
        merged(
            group("PlanePositionSequence", ImagePositionPatient=[-10, 2.5 * number, 30]),
            group("PixelValueTransformationSequence", RescaleSlope=number + 1, RescaleIntercept=-5),
            group("FrameVOILUTSequence", WindowCenter=40 + number, WindowWidth=400),
            group("FrameContentSequence", DimensionIndexValues=[1, number + 1], StackID="A"),
        )
        for number in range(3)
    ]
    shared = merged(
        group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25], SliceThickness=2.5),
        group("PlaneOrientationSequence", ImageOrientationPatient=CORONAL),
    )
    return enhanced(shared, frames)


def test_metadata_of_each_frame(page: Page, site: WebServer) -> None:
    body = builders.part10(three_frames(), ExplicitVRLittleEndian)
    image_id = f"wadouri:{site.put('/made/enhanced.dcm', body)}"
    image_ids = [f"{image_id}?frame={number}" for number in (3, 1, 2)]
    types = ["imagePlaneModule", "modalityLutModule", "voiLutModule", "frameContentModule"]
    for number, (plane, modality, voi, content) in zip(
        (2, 0, 1), page.evaluate(ANSWERS, [image_ids, types]), strict=True
    ):
        assert plane["imagePositionPatient"] == [-10, 2.5 * number, 30]
        assert plane["columnCosines"] == [0, 0, -1]
        assert (plane["rowPixelSpacing"], plane["columnPixelSpacing"]) == (0.5, 0.25)
        assert modality["rescaleSlope"] == number + 1
        assert voi["windowCenter"] == [40 + number]
        assert content == {"dimensionIndexValues": [1, number + 1], "stackID": "A"}
        loaded = page.evaluate(ALL_MODULES, [f"{image_id}?frame={number + 1}", None])
        assert loaded["imagePlaneModule"] == plane
        assert loaded["multiframeModule"]["frameNumber"] == number + 1


@pytest.mark.parametrize("index", [3, 7, 13, 16, 19])
def test_names_in_any_character_set(page: Page, site: WebServer, index: int) -> None:
    charset, name, expected = NAMES[index]
    path = site.put(f"/made/charset-{index}.dcm", encoded(charset, name))
    patient = page.evaluate(ALL_MODULES, [f"wadouri:{path}", None])["patientModule"]
    assert patient["patientName"] == expected
    assert list(patient["patientNameGroups"].values()) == expected.split("=")


def address(site: WebServer, name: str, number: int) -> str:
    """Return the imageId of a frame of a service that is never asked."""
    return f"wadors:{site.url}/nowhere/studies/1/series/2/instances/{name}/frames/{number}"


# File -> the frame that is asked for.
CASES = {
    "CT_small.dcm": 1,
    "eCT_Supplemental.dcm": 2,
    "examples_overlay.dcm": 1,
    "examples_palette.dcm": 1,
    "examples_ybr_color.dcm": 30,
    "liver_1frame.dcm": 1,
    "rtdose.dcm": 15,
}


def modules_both_ways(page: Page, site: WebServer, name: str) -> tuple[Any, Any]:
    """Return the modules of a frame, from the file and from its DICOM JSON."""
    number = CASES[name]
    folders = (corpus.DATA, corpus.FURTHER_DATA)
    path = next(folder / name for folder in folders if (folder / name).exists())
    dataset = dcmread(path)
    dataset.pop("PixelData", None)
    file_id = f"wadouri:{site.put(f'/made/modules-{name}', path.read_bytes())}?frame={number}"
    json = as_json(dataset)
    found = page.evaluate(ALL_MODULES, [file_id, None])
    return found, page.evaluate(ALL_MODULES, [address(site, name, number), json])


@pytest.mark.parametrize("name", CASES)
def test_wadouri_and_wadors_answer_the_same(page: Page, site: WebServer, name: str) -> None:
    by_file, by_json = modules_both_ways(page, site, name)
    del by_file["transferSyntax"]  # which is no attribute of a data set
    by_json.pop("transferSyntax", None)
    assert by_json == by_file
    assert by_file["imagePlaneModule"]["rows"] > 0


def test_ecg_answers_its_channels(page: Page) -> None:
    found = page.evaluate(ALL_MODULES, ["wadouri:/corpus/waveform_ecg.dcm", None])["ecgModule"]
    group = dcmread(corpus.DATA / "waveform_ecg.dcm").WaveformSequence[0]
    assert found["numberOfWaveformChannels"] == 12
    assert found["samplingFrequency"] == 1000
    meanings = [
        each["channelSourceSequence"]["codeMeaning"] for each in found["channelDefinitionSequence"]
    ]
    channels = group.ChannelDefinitionSequence
    assert meanings == [each.ChannelSourceSequence[0].CodeMeaning for each in channels]
