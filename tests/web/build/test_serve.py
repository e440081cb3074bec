"""The server of `./build.sh demo`: compressed forms go to those who take them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of a folder with one file in three forms, and one in its own alone."""
    folder = tmp_path_factory.mktemp("site")
    for name, body in {
        "a.wasm": "itself", "a.wasm.br": "brotli", "a.wasm.gz": "gzip", "b.wasm": "alone",
    }.items():  # fmt: skip
        (folder / name).write_text(body)
    command = [sys.executable, "-m", "web.build.serve", folder, "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        yield int(line.split("127.0.0.1:")[-1].split("/")[0].split()[0])
        process.terminate()


def get(port: int, path: str, accepted: str) -> tuple[HTTPResponse, str]:
    """Return an answer and its body as it came."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path, headers={"Accept-Encoding": accepted})
        answer = connection.getresponse()
        return answer, answer.read().decode()


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", "brotli"),
        ("gzip, deflate", "gzip", "gzip"),
        ("identity", None, "itself"),
    ],
)
def test_the_smallest_form_that_is_taken(
    port: int, accepted: str, encoding: str | None, body: str
) -> None:
    answer, content = get(port, "/a.wasm?0123", accepted)
    assert (answer.status, content) == (200, body)
    assert answer.headers["Content-Encoding"] == encoding
    assert answer.headers["Content-Type"] == "application/wasm"
    assert answer.headers["Content-Length"] == str(len(body))
    assert answer.headers["ETag"]


def test_a_file_without_other_forms(port: int) -> None:
    answer, content = get(port, "/b.wasm", "gzip, br")
    assert (content, answer.headers["Content-Encoding"]) == ("alone", None)


def test_what_is_not_there(port: int) -> None:
    assert get(port, "/c.wasm", "gzip, br")[0].status == 404
