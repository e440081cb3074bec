"""Secrets of addresses stay out of errors and warnings."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from pyloader import load_image
from pyloader.errors import LoaderError, NetworkError
from pyloader.redaction import redacted
from pyloader.testing.memory import memory_context
from tests.support import builders

CASES = json.loads((Path(__file__).parent / "security/redaction.json").read_text())
SECRETS = ("word", "s3cr3t", "b33f")
URL = "https://me:word@host/a.dcm?token=s3cr3t&X-Amz-Signature=b33f"


@pytest.mark.parametrize(("text", "told"), CASES)
def test_texts(text, told):
    assert redacted(text) == told
    assert redacted(told) == told


def test_errors_have_no_secrets():
    error = NetworkError(f"could not fetch {URL}: refused", URL)
    error.image_id = f"wadouri:{URL}"
    for copy in (error, pickle.loads(pickle.dumps(error))):
        texts = (str(copy), repr(copy), copy.url, copy.image_id, *map(str, copy.args))
        assert not [text for text in texts for secret in SECRETS if secret in text]
        assert copy.url == "https://***@host/a.dcm?token=***&X-Amz-Signature=***"


SCHEMES = ["wadouri", "nifti", "nrrd", "metaimage", "numpy", "web", "zarr"]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_loads_that_fail_tell_no_secrets(scheme):
    context = memory_context({})
    for image_id in (f"{scheme}:{URL}", f"{scheme}:{URL}&frame=0"):
        with pytest.raises(LoaderError) as caught:
            await load_image(image_id, context)
        error = caught.value
        texts = (str(error), repr(error), getattr(error, "url", ""), error.image_id)
        assert not [text for text in texts for secret in SECRETS if secret in text]


@pytest.mark.parametrize("length", range(132, 700, 40))
async def test_errors_name_no_patient(length):
    body = builders.native(builders.ramp(4, 6), PatientName="Quastel^Zoe", PatientID="PX-40917")
    context = memory_context({"https://host/a.dcm": body[: min(length, len(body) - 1)]})
    with pytest.raises(LoaderError) as caught:
        await load_image("wadouri:https://host/a.dcm", context)
    assert "Quastel" not in str(caught.value)
    assert "PX-40917" not in str(caught.value)
