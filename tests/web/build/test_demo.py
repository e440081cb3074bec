"""The pages of the demo: each gets the shared head, with its own title, scripts and marked link."""

from __future__ import annotations

import re

import pytest

from web.build.common import BuildError
from web.build.demo import FOLDER, HEAD, with_head

PAGE = """<!doctype html>
<html lang="en" data-state="booting">
<title>A page</title>
<meta name="description" content="What it shows.">
<script src="a.js"></script>
<script src="b.js"></script>
<main id="main">
  $title
</main>
</body>
</html>
"""
TEMPLATE = """<head>
  <title>$title</title>
  <meta name="description" content="$description">
$scripts</head>
<body>
<a class="name" href="a.html">all</a>
<a href="a.html">A</a>
<a href="b.html">B</a>
"""
PAGES = sorted({path.name for path in FOLDER.glob("*.html")} - {HEAD.name})
WHOLE = """<!doctype html>
<html lang="en" data-state="booting">
<head>
  <title>A page</title>
  <meta name="description" content="What it shows.">
  <script src="a.js"></script>
  <script src="b.js"></script>
</head>
<body>
<a class="name" href="a.html">all</a>
<a href="a.html" aria-current="page">A</a>
<a href="b.html">B</a>
<main id="main">
  $title
</main>
</body>
</html>
"""


def test_page_and_head_make_a_document() -> None:
    assert with_head("a.html", PAGE, TEMPLATE) == WHOLE


def test_page_without_scripts() -> None:
    page = re.sub("<script.*\n", "", PAGE)
    assert with_head("a.html", page, TEMPLATE) == re.sub(" *<script.*\n", "", WHOLE)


@pytest.mark.parametrize(
    "line",
    [
        "<title>A page</title>\n",
        '<meta name="description" content="What it shows.">\n',
        '<main id="main">\n',
        "<!doctype html>\n",
    ],
)
def test_page_that_begins_in_another_way(line: str) -> None:
    with pytest.raises(BuildError, match=r"web/demo/a\.html does not begin"):
        with_head("a.html", PAGE.replace(line, ""), TEMPLATE)


def test_page_that_no_link_leads_to() -> None:
    with pytest.raises(BuildError, match=r"head\.html does not have one link to c\.html"):
        with_head("c.html", PAGE, TEMPLATE)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_the_demo(name: str) -> None:
    made = with_head(name, (FOLDER / name).read_text(), HEAD.read_text())
    assert re.findall(r'href="([^"]+)" aria-current="page"', made) == [name]
    for mark in ("<html ", "<head>", "</head>", "<body>", "</body>", "<main ", "</main>"):
        assert made.count(mark) == 1, mark


def test_every_page_has_a_title_and_a_description_of_its_own() -> None:
    pattern = r'<title>(.+)</title>\n<meta name="description" content="(.+\.)">'
    found = [re.findall(pattern, (FOLDER / name).read_text()) for name in PAGES]
    titles, descriptions = zip(*(row for [row] in found), strict=True)
    assert len(set(titles)) == len(set(descriptions)) == len(PAGES)
    assert max(map(len, descriptions)) <= 160, "a search engine cuts longer ones"


def test_head_names_files_of_the_demo() -> None:
    named = re.findall(r'(?:href|content)="([\w.-]+\.(?:css|svg|png))"', HEAD.read_text())
    assert [(FOLDER / name).is_file() for name in named] == [True, True, True]
