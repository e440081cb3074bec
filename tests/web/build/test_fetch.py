"""Files from outside: `PYLOADER_MIRROR` goes first, and a wrong file is never taken."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support.webserver import WebServer
from web.build.common import BuildError
from web.build.fetch import Asset, from_first_source

RIGHT = b"what the manifest names"
DIGEST = hashlib.sha256(RIGHT).hexdigest()


def asset(*sources: Path) -> Asset:
    """Return a row whose file is at some of these places."""
    rows = [{"url": path.as_uri()} for path in sources]
    return Asset("thing", "1.0", "thing.whl", "MIT", DIGEST, rows)


def put(folder: Path, content: bytes) -> Path:
    """Put a file where a mirror has it; return the mirror."""
    path = folder / DIGEST / "thing.whl"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return folder


@pytest.mark.parametrize("is_address", [False, True])
def test_mirror_goes_first(tmp_path: Path, monkeypatch, is_address: bool) -> None:
    mirror = put(tmp_path / "mirror", RIGHT)
    server = WebServer({"/files/": mirror})
    server.start()
    place = f"{server.url}/files/" if is_address else str(mirror)
    monkeypatch.setenv("PYLOADER_MIRROR", place)
    assert from_first_source(asset(tmp_path / "nothing")) == RIGHT
    assert [seen.path for seen in server.seen] == [f"/files/{DIGEST}/thing.whl"] * is_address
    server.stop()


@pytest.mark.parametrize("content", [b"another", b"", None])
def test_mirror_without_the_file_is_passed_over(tmp_path: Path, monkeypatch, content) -> None:
    mirror = tmp_path / "mirror"
    if content is not None:
        put(mirror, content)
    monkeypatch.setenv("PYLOADER_MIRROR", str(mirror))
    (tmp_path / "file").write_bytes(RIGHT)
    assert from_first_source(asset(tmp_path / "file")) == RIGHT


def test_nowhere_to_be_had_says_where_it_was_looked_for(tmp_path: Path, monkeypatch) -> None:
    mirror = put(tmp_path / "mirror", b"another")
    monkeypatch.setenv("PYLOADER_MIRROR", str(mirror))
    with pytest.raises(BuildError) as caught:
        from_first_source(asset(tmp_path / "nothing"))
    told = str(caught.value)
    actual = hashlib.sha256(b"another").hexdigest()
    assert f"SHA-256 is {actual}, expected {DIGEST}" in told
    assert (
        f"name in PYLOADER_MIRROR a folder or an address that has it as {DIGEST}/thing.whl" in told
    )


def test_without_a_mirror(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("PYLOADER_MIRROR", raising=False)
    (tmp_path / "file").write_bytes(RIGHT)
    assert from_first_source(asset(tmp_path / "nothing", tmp_path / "file")) == RIGHT
