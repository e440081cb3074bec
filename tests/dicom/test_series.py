"""The order of a series, and the number of frames, from raw DICOM JSON."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from pyloader.dicom.series import frame_count, sort_by_position

AXIAL = [1.0, 0, 0, 0, 1, 0]
CORONAL = [1.0, 0, 0, 0, 0, -1]
HALF = math.sqrt(0.5)
OBLIQUE = [HALF, HALF, 0, 0, 0, -1]


def image(name: str, **values: Any) -> dict[str, Any]:
    """Return a data set of the DICOM JSON Model, named by its SOP Instance UID."""
    tags = {
        "number": "00200013",
        "position": "00200032",
        "orientation": "00200037",
        "location": "00201041",
        "acquisition": "00200012",
        "temporal": "00200100",
        "time": "00080032",
        "datetime": "0008002A",
        "content": "00080033",
    }
    dataset = {"00080018": {"vr": "UI", "Value": [name]}}
    for key, value in values.items():
        dataset[tags[key]] = {"Value": value if isinstance(value, list) else [value]}
    return dataset


def names(datasets: list[dict[str, Any]]) -> str:
    """Return the names of data sets in their order."""
    return " ".join(dataset["00080018"]["Value"][0] for dataset in datasets)


def shuffled(datasets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return data sets in another order, always the same."""
    return random.Random(1).sample(datasets, len(datasets))


@pytest.mark.parametrize(
    ("orientation", "normal"),
    [(AXIAL, (0, 0, 1)), (CORONAL, (0, 1, 0)), (OBLIQUE, (-HALF, HALF, 0))],
)
def test_along_the_normal(orientation, normal):
    images = [
        # Numbered in reverse order, and shifted within the plane.
        image(
            str(index),
            number=9 - index,
            orientation=orientation,
            position=[
                100 - 2.5 * index * axis + 7 * (-1) ** index * along
                for axis, along in zip(normal, orientation[:3], strict=True)
            ],
        )
        for index in range(9)
    ]
    assert names(sort_by_position(shuffled(images))) == "8 7 6 5 4 3 2 1 0"


@pytest.mark.parametrize("number", [{}, {"number": 1}, {"number": "1"}, {"number": []}])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("location", [-12.5, -2, 0, 7, 10]),
        ("location", ["-12.5", "-2", "0", "7", "10"]),
        ("acquisition", [1, 2, 3, 10, 11]),
        ("temporal", [1, 2, 3, 10, 11]),
        ("time", ["081500", "081500.5", "090000", "100000", "110000"]),
        ("datetime", [f"2020010{day}120000" for day in range(1, 6)]),
        ("content", ["081500", "081500.5", "090000", "100000", "110000"]),
    ],
)
def test_order_without_position_and_number(number, name, values):
    """By Slice Location (PS3.3 C.7.6.2.1.2), then by other attributes."""
    place = [{}, {"position": [1, 2, 3], "orientation": AXIAL}]
    for index, known in enumerate(place):
        images = [
            image(f"1.{9 - rank}", **number, **known, **{name: value})
            for rank, value in enumerate(values)
        ]
        assert names(sort_by_position(shuffled(images))) == "1.9 1.8 1.7 1.6 1.5", index


def test_slice_location_counts_less_than_position_and_number():
    numbered = [image(str(n), number=n, location=9 - n) for n in (1, 2, 3)]
    assert names(sort_by_position(shuffled(numbered))) == "1 2 3"
    placed = [
        image(str(n), position=[0, 0, n], orientation=AXIAL, location=9 - n) for n in (1, 2, 3)
    ]
    assert names(sort_by_position(shuffled(placed))) == "1 2 3"


def test_images_without_a_location_are_behind_those_that_have_one():
    images = [image("a"), image("b", location=5), image("c", location="x"), image("d", location=3)]
    assert names(sort_by_position(shuffled(images))) == "d b a c"


def test_the_same_objects_come_back():
    images = [image("b", number=2), image("a", number=1)]
    first, second = sort_by_position(images)
    assert first is images[1]
    assert second is images[0]
    assert names(images) == "b a", "what was given is left as it was"


def test_text_as_numbers():
    images = [
        image("b", position=["0", "0", "10"], orientation=AXIAL),
        image("a", position=["0\\0\\9"], orientation="1\\0\\0\\0\\1\\0"),
    ]
    assert names(sort_by_position(images)) == "a b"


def test_directions_that_differ_by_rounding():
    tilted = [1.0, 0.0004, 0, -0.0004, 1, 0]
    images = [
        image("b", number=1, position=[0, 0, 2], orientation=AXIAL),
        image("a", number=2, position=[0, 0, 1], orientation=tilted),
    ]
    assert names(sort_by_position(images)) == "a b"


def test_several_times_at_one_place():
    images = [
        image(f"{place}{time}", number=10 * time, position=[0, 0, place + noise], orientation=AXIAL)
        for place in range(2)
        for time, noise in ((1, 1e-9), (2, 0), (3, -1e-9))
    ]
    assert names(sort_by_position(shuffled(images))) == "01 02 03 11 12 13"


OTHERS = [
    {"position": [0, 0, 0], "orientation": CORONAL},
    {"position": [0, 0, 0], "orientation": [1, 0.002, 0, 0, 1, 0]},
    {"position": [0, 0, 0]},
    {"orientation": AXIAL},
    {"position": [0, 0], "orientation": AXIAL},
    {"position": [0, 0, None], "orientation": AXIAL},
    {"position": [0, 0, "x"], "orientation": AXIAL},
    {"position": [0, 0, math.nan], "orientation": AXIAL},
    {"position": [{}, 0, 0], "orientation": AXIAL},
    {},
]


@pytest.mark.parametrize("other", OTHERS)
def test_by_number_when_an_image_lies_otherwise(other):
    images = [
        image("c", number=3, position=[0, 0, 1], orientation=AXIAL),
        image("b", number="2", position=[0, 0, 2], orientation=AXIAL),
        image("a", number=1, **other),
    ]
    assert names(sort_by_position(images)) == "a b c"


def test_by_number_when_all_are_at_one_place():
    images = [image(str(n), number=n, position=[1, 2, 3], orientation=AXIAL) for n in (10, 9, 2)]
    assert names(sort_by_position(images)) == "2 9 10"


def test_by_number_when_the_directions_have_no_normal():
    flat = [1.0, 0, 0, 1, 0, 0]
    images = [image(str(n), number=n, position=[0, 0, -n], orientation=flat) for n in (2, 1)]
    assert names(sort_by_position(images)) == "1 2"


def test_by_name_without_numbers():
    images = [image("1.10"), image("1.9"), image("1.9.1"), image("0.1", number=None)]
    assert names(sort_by_position([*images, image("9", number=5)])) == "9 0.1 1.9 1.9.1 1.10"


def test_broken_data_sets():
    images: list[dict[str, Any]] = [
        {},
        {"00200013": 5, "00080018": None},
        {"00200013": {"Value": 7}, "00080018": {"Value": [{}]}},
        {"00200013": {"Value": ["x"]}, "00080018": {"vr": "UI"}},
        {"00200032": [], "00200037": {"Value": {}}},
    ]
    assert sort_by_position(images)[0] is images[2]


@pytest.mark.parametrize("count", [0, 1])
def test_few(count):
    images = [image("a", position=[0, 0, 0], orientation=AXIAL)] * count
    assert sort_by_position(images) == images


def test_random_stacks():
    chance = random.Random(2)
    for _ in range(100):
        angle = chance.uniform(0, math.tau)
        row = (math.cos(angle), math.sin(angle), 0.0)
        normal = (row[1] * -1, row[0] * 1, 0.0)  # row x (0, 0, -1)
        images = [
            image(
                str(index),
                orientation=[*row, 0, 0, -1],
                position=[
                    index * 0.7 * axis + chance.uniform(-9, 9) * along
                    for axis, along in zip(normal, (0, 0, 1), strict=True)
                ],
            )
            for index in range(12)
        ]
        order = names(sort_by_position(chance.sample(images, 12)))
        assert order == " ".join(map(str, range(12)))


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"vr": "IS", "Value": [30]}, 30),
        ({"vr": "IS", "Value": ["30"]}, 30),
        ({"Value": 30}, 30),
        ({"Value": [0]}, 1),
        ({"Value": [-3]}, 1),
        ({"Value": []}, 1),
        ({"Value": [None]}, 1),
        ({"Value": ["many"]}, 1),
        ({"Value": [math.inf]}, 1),
        ({"vr": "IS"}, 1),
        (5, 1),
        (None, 1),
    ],
)
def test_frame_count(element, expected):
    assert frame_count({"00280008": element}) == expected


def test_frame_count_when_absent():
    assert frame_count({}) == 1
