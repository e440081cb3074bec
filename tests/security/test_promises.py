"""Every promise of the page on security names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "web/docs/security.md").read_text()
NAMED = re.findall(r"`(tests/[^:`]+)::([^`]+)`", PAGE)


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_promise_is_held_by_a_test(path: str, name: str) -> None:
    text = (ROOT / path).read_text()
    assert f"def {name}(" in text if path.endswith(".py") else f"test('{name}'" in text


def test_each_section_of_promises_names_some() -> None:
    sections = dict(re.findall(r"## ([^\n]+)\n(.*?)(?=\n## |\Z)", PAGE, re.DOTALL))
    for title in ("Secrets", "Code", "Memory and time", "Patients", "How to serve"):
        assert re.search(r"`tests/[^`]+::", sections[title]), title


def test_the_readme_leads_there() -> None:
    assert "](web/docs/security.md)" in (ROOT / "README.md").read_text()
