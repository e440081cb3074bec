"""The table of codecs, and its text form."""

from __future__ import annotations

from pyloader.pixels.codecs import CODECS, RLE, supported_syntaxes


def test_private_syntax_is_listed_last(monkeypatch):
    before = supported_syntaxes()
    monkeypatch.setitem(CODECS, "1.2.3.4", RLE)
    after = supported_syntaxes()
    assert after[0] == before[0] == "Implicit VR Little Endian (1.2.840.10008.1.2)"
    assert [each for each in after if each != "1.2.3.4 (1.2.3.4)"] == before
    standard = [each for each in after if "(1.2.840.10008." in each]
    assert after.index("1.2.3.4 (1.2.3.4)") >= len(standard)
