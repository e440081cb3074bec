"""Plans: which images one worker loads together."""

from __future__ import annotations

from pyloader.bulk.chunks import Batch, plan


def batches(image_ids: list[str], workers: int = 1) -> list[Batch]:
    """Return the plan of a list, whose positions are checked."""
    found = list(plan(image_ids, workers))
    positions = [position for batch in found for position in batch.positions]
    assert sorted(positions) == list(range(len(image_ids)))
    for batch in found:
        assert [image_ids[position] for position in batch.positions] == list(batch.image_ids)
    return found


def test_frames_of_a_file_stay_together():
    ids = [f"wadouri:{name}?frame={n}" for n in range(1, 5) for name in "abc"]
    assert [len(batch.image_ids) for batch in batches(ids, workers=4)] == [4, 4, 4]


def test_small_sources_are_put_together():
    found = batches([f"wadouri:{number}" for number in range(256)], workers=2)
    assert {len(batch.image_ids) for batch in found} == {16}


def test_few_images_are_spread():
    assert len(batches([f"wadouri:{number}" for number in range(8)], workers=4)) == 8


def test_long_file_is_divided():
    found = batches([f"wadouri:a?frame={n}" for n in range(1, 101)], workers=1)
    assert max(len(batch.image_ids) for batch in found) == 16


def test_plan_reads_no_further_than_it_has_to():
    numbers = iter(range(100_000))
    next(plan((f"wadouri:{number}" for number in numbers), 1))
    assert next(numbers) == 512


def test_what_is_no_imageid_is_planned_too():
    assert batches(["nonsense"])[0].image_ids == ("nonsense",)
