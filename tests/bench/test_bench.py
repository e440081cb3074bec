"""The benchmark's arithmetic, table and server; `./build.sh bench` runs the races themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.bench import files, scaling
from tests.bench.__main__ import RACES, read_arguments
from tests.bench.blocking import SCRIPT, longest
from tests.bench.figures import NEW, OLD, Row, as_json, slope, summarise
from tests.bench.server import BenchServer, Link
from tests.bench.starts import assets, weights
from tests.bench.table import table
from tests.bench.visits import WrongPixels, check

ROWS = [
    Row("latency", "raw", NEW, 0, 6.0, 4.0, {"gap ms": 2.0}),
    Row("latency", "raw", OLD, 0, 12.0, 4.0),
    Row("latency", "raw", OLD, 1, 8.0, 4.0),
    Row("latency", "raw", NEW, 1, 2.0, 4.0, {"gap ms": 4.0}),
    Row("start", "first visit", NEW, 0, 1234.5, None, {"MB": 5.5}),
]


def test_ratios_are_medians_of_what_took_turns():
    latency, start = summarise(ROWS)
    assert (latency.milliseconds, latency.floor, latency.old) == (4.0, 4.0, 10.0)
    # 6 / 4 and 2 / 4; 6 / 12 and 2 / 8.
    assert (latency.to_floor, latency.to_old) == (1.0, 0.375)
    assert latency.further == {"gap ms": 3.0}
    assert (start.milliseconds, start.floor, start.to_floor, start.old) == (
        1234.5,
        None,
        None,
        None,
    )


def test_the_table_has_the_columns_that_a_race_has_figures_for():
    assert table(summarise(ROWS)) == (
        "latency    ms  floor ms  / floor  old ms  new / old  gap ms\n"
        "raw      4.00      4.00     1.00    10.0       0.38    3.00\n"
        "\n"
        "start          ms    MB\n"
        "first visit  1234  5.50"
    )


def test_a_run_is_json():
    run = json.loads(json.dumps(as_json(ROWS, {"cores": 2})))
    assert run["conditions"] == {"cores": 2}
    assert [line["case"] for line in run["summary"]] == ["raw", "first visit"]
    assert run["rows"][0]["further"] == {"gap ms": 2.0}


def test_slopes_are_those_of_least_squares():
    assert slope([(0, 1), (1, 3), (2, 5)]) == (2, 1)
    assert slope([(0, 0), (1, 0), (2, 3)]) == (1.5, -0.5)


def test_a_slope_is_stated_of_each_thing_that_grows():
    rows = [
        Row("by MB", f"{x:g} MB", NEW, 0, 10 + 3 * x, None, {"more MB": 2 * x}) for x in (0.1, 50)
    ]
    [sentence] = scaling.slopes(rows)
    assert sentence == "each MB takes 3.00 ms and 2.00 MB, beside 10 ms"


def test_a_race_with_other_pixels_does_not_count():
    check(NEW, "raw", ["a", "b"], ["a", "b"])
    with pytest.raises(WrongPixels, match=r"raw by new: of 2 images.* 1 have other pixels.*\[1\]"):
        check(NEW, "raw", ["a", "x"], ["a", "b"])


def test_the_longest_script_is_that_of_the_main_thread():
    threads = [(1, 1, "CrRendererMain"), (1, 2, "DedicatedWorker")]
    events = [
        {"name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}}
        for pid, tid, name in threads
    ]
    events += [
        {"name": "FunctionCall", "pid": 1, "tid": 1, "dur": 3000},
        {"name": "FunctionCall", "pid": 1, "tid": 2, "dur": 9000},
        {"name": "Paint", "pid": 1, "tid": 1, "dur": 8000},
    ]
    assert longest(events, SCRIPT) == 3.0


def test_what_is_raced_with_differs_from_slice_to_slice():
    slices = [files.slice_of("raw", index) for index in range(files.DISTINCT)]
    assert len({each.digests for each in slices}) == files.DISTINCT


def test_an_unknown_race_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "pyloader.js").touch()
    dist = ["--dist", str(tmp_path)]
    assert read_arguments([*dist, "--only", "latency,start"]).only == ["latency", "start"]
    assert set(read_arguments(dist).only) == set(RACES)
    with pytest.raises(SystemExit):
        read_arguments([*dist, "--only", "marathon"])
    assert "there is no race marathon" in capsys.readouterr().err


# ------------------------------------------------------------------ its server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BenchServer]:
    """Serve a folder, compressed."""
    (tmp_path / "a.js").write_text("var a;\n" * 1000)
    server = BenchServer({"/new/": tmp_path}, {"/made": bytes(range(100))}, compresses=True)
    server.start()
    yield server
    server.stop()


def test_the_server_answers_as_an_ordinary_host_does(server: BenchServer):
    script = f"{server.url}/new/a.js"
    first = requests.get(script, timeout=5)
    assert first.text == "var a;\n" * 1000
    assert first.headers["Content-Encoding"] == "gzip"
    again = requests.get(script, headers={"If-None-Match": first.headers["ETag"]}, timeout=5)
    assert (again.status_code, again.content) == (304, b"")
    part = requests.get(f"{server.url}/made", headers={"Range": "bytes=10-19"}, timeout=5)
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert requests.get(f"{server.url}/new/none.js", timeout=5).status_code == 404


def test_what_was_served_is_weighed(server: BenchServer, tmp_path: Path):
    requests.get(f"{server.url}/new/a.js", timeout=5)
    requests.get(f"{server.url}/made", timeout=5)
    fetched = assets(server.served, NEW)
    [(name, count, size, in_gzip)] = weights(fetched, tmp_path)
    assert (name, count, size) == ("a.js", 1, 7000)
    assert fetched[0].size == in_gzip < 100


def test_a_slow_link_takes_its_time(server: BenchServer):
    server.link = Link(bits_per_second=8e5, delay=0.05)
    server.made["/large"] = bytes(30_000)
    answer = requests.get(f"{server.url}/large", timeout=5)
    assert answer.content == bytes(30_000)
    # 30 kB at 100 kB a second, and the way there.
    assert answer.elapsed.total_seconds() >= 0.05
    assert server.free_at > 0
