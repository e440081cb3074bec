"""Every file of pydicom and pydicom-data, under CPython: equal to an independent decoder, or
refused."""

from __future__ import annotations

import numpy as np
import pytest

from pyloader import LoaderError, load_image
from tests.support import corpus


@pytest.mark.parametrize("name", [*corpus.images(), *corpus.further_images()])
async def test_image_equals_an_independent_decoder(name: str) -> None:
    for frame_index in corpus.frames(name):
        image = await load_image(f"wadouri:{corpus.path_of(name)}?frame={frame_index + 1}")
        expected = corpus.reference(name, frame_index)
        assert image.pixels.shape == expected.pixels.shape
        difference = np.abs(image.pixels.astype("i8") - expected.pixels.astype("i8")).max()
        assert difference <= expected.bound, (
            f"frame {frame_index + 1} differs by {difference} from {expected.decoder}"
        )


@pytest.mark.parametrize("name", corpus.refused())
async def test_file_without_an_image_is_refused(name: str) -> None:
    with pytest.raises(LoaderError, match=corpus.expected_words(name)) as caught:
        await load_image(f"wadouri:{corpus.path_of(name)}")
    assert caught.value.code == corpus.expected_code(name)
