"""The documentation site: its links, its reference, and the search, also from a disk."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, Page, Request

import pyloader
from pyloader import errors, testing, volume
from pyloader.errors import LoaderError
from pyloader.pixels.output import voi
from tests.support.pages.axe import LOOKS, Look, show, violations
from tests.support.webserver import WebServer
from web.build.common import BuildError
from web.build.docs import SETTINGS, TYPES, build_site
from web.build.docs_hooks import from_docs

WORD = "NetworkError"
# A page of each kind: the front page, programs, tables, and what TypeDoc and mkdocstrings made.
KINDS = [
    "index",
    "tutorials/cornerstone3d",
    "guide",
    "explanation/figures",
    "reference/javascript",
    "reference/python",
]
FETCHED = {"img": "src", "link": "href", "script": "src"}


class Document(HTMLParser):
    """A page of the site: the ids of its elements, its links, and the files that it fetches."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        found = {name: value for name, value in attrs if value is not None}
        self.ids += [found[name] for name in ("id",) if name in found]
        self.links += [found["href"]] if tag == "a" and "href" in found else []
        name = FETCHED.get(tag, "")
        self.fetched += [found[name]] if name in found else []

    def broken(self, pages: dict[Path, Document]) -> Iterator[str]:
        """Yield the links and files that are not there, or that are not relative."""
        for address in [*self.links, *self.fetched]:
            parts = urlsplit(address)
            if parts.scheme and address in self.links:
                continue
            target = (self.path.parent / unquote(parts.path)).resolve() if parts.path else self.path
            heading = unquote(parts.fragment)
            is_there = target.is_file() and not parts.netloc and not parts.path.startswith("/")
            if not is_there or (heading and heading not in pages[target].ids):
                yield f"{self.path.name}: {address}"


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a site that was built for these tests."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    build_site(folder)
    return folder


@pytest.fixture(scope="module")
def documents(site_folder: Path) -> dict[Path, Document]:
    """Return the pages of the site."""
    return {path: Document(path) for path in sorted(site_folder.rglob("*.html"))}


def test_every_link_leads_to_a_page_and_a_heading(documents: dict[Path, Document]) -> None:
    assert len(documents) > 9
    assert [each for page in documents.values() for each in page.broken(documents)] == []
    assert sum(len(page.links) for page in documents.values()) > 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a](nowhere.md)", "'nowhere.md'"),
        ("[a](/index.md)", "absolute link"),
        ("[a](#nothing)", "'#nothing'"),
        ("", 'are not included in the "nav"'),
    ],
)
def test_what_ends_the_build(tmp_path: Path, text: str, words: str) -> None:
    pages = tmp_path / "docs"
    pages.mkdir()
    (pages / "index.md").write_text(f"# A\n\n{text}\n")
    if not text:
        (pages / "other.md").touch()
    validation = yaml.safe_load(SETTINGS.read_text())["validation"]
    settings = {"site_name": "a", "nav": [{"A": "index.md"}], "validation": validation}
    (tmp_path / "mkdocs.yml").write_text(json.dumps(settings))
    with pytest.raises(BuildError, match=re.escape(words)):
        build_site(tmp_path / "site", tmp_path / "mkdocs.yml")


def test_every_page_is_in_the_navigation(
    site_folder: Path, documents: dict[Path, Document]
) -> None:
    front = documents[site_folder / "index.html"]
    reached = {(site_folder / urlsplit(link).path).resolve() for link in front.links}
    assert set(documents) - reached == set()


def headings(page: Document, level: int = 3) -> set[str]:
    """Return the ids of the headings of a level."""
    pattern = rf'<h{level} id="([^"]+)"'
    return set(re.findall(pattern, page.path.read_text()))


def test_the_reference_has_the_public_names_of_python(
    site_folder: Path, documents: dict[Path, Document]
) -> None:
    page = documents[site_folder / "reference/python.html"]
    kinds = [name for name, kind in vars(errors).items() if is_error(kind)]
    public = {f"pyloader.{name}" for name in pyloader.__all__ if name != "LoaderError"}
    public |= {f"pyloader.volume.{name}" for name in volume.__all__}
    public |= {f"pyloader.errors.{name}" for name in kinds}
    public |= {f"pyloader.testing.{name}" for name in testing.__all__}
    public |= {f"pyloader.pixels.output.voi.{name}" for name in voi.__all__}
    assert headings(page) == public
    assert "::\n" not in page.path.read_text()


def is_error(kind: object) -> bool:
    """Tell whether something is a kind of pyloader's errors."""
    return isinstance(kind, type) and issubclass(kind, LoaderError)


def test_the_reference_has_the_names_of_the_types(
    site_folder: Path, documents: dict[Path, Document]
) -> None:
    page = documents[site_folder / "reference/javascript.html"]
    pattern = r"^export (?:class|const|function|interface|let|type) (\w+)"
    names = re.findall(pattern, TYPES.read_text(), re.MULTILINE)
    assert len(set(names)) > 90
    expected = {name.lower() for name in names}
    assert {re.sub(r"_\d+$", "", each) for each in headings(page)} == expected
    assert len(headings(page)) == len(set(names))
    text = page.path.read_text()
    assert '<code>Promise</code>&lt;<a href="#image"><code>Image</code></a>' in text
    assert "\\&lt;" not in text


def test_the_guide_leads_to_pages_and_to_the_repository() -> None:
    text = "[a](docs/security.md#code), [b](demo/loaders), [c](#packages), [d](https://host/)"
    same = "[c](#packages), [d](https://host/)"
    assert from_docs(text, "") == f"[a](security.md#code), b, {same}"
    link = "[b](https://host/p/blob/HEAD/web/demo/loaders)"
    assert from_docs(text, "https://host/p") == f"[a](security.md#code), {link}, {same}"


@pytest.fixture(scope="module")
def address(site_folder: Path) -> Iterator[Callable[[str], str]]:
    """Return a function with the address of the site, on a disk or below a path of a server."""
    server = WebServer({"/some/where/": site_folder})
    server.start()
    addresses = {"disk": site_folder.as_uri(), "server": f"{server.url}/some/where"}
    yield lambda place: addresses[place]
    server.stop()


@pytest.fixture
def open_site(browser: Browser) -> Iterator[Callable[[str], tuple[Page, list[str]]]]:
    """Return a function that opens a page, and lists the addresses of all requests from then on."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})

    def open_site(url: str) -> tuple[Page, list[str]]:
        asked: list[str] = []

        def note(request: Request) -> None:
            asked.append(request.url)

        context.on("request", note)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(error.message))
        page.goto(url)
        return page, asked

    yield open_site
    context.close()


@pytest.mark.parametrize("place", ["disk", "server"])
def test_search_finds_a_word_and_asks_no_other_server(
    address: Callable[[str], str],
    open_site: Callable[[str], tuple[Page, list[str]]],
    place: str,
) -> None:
    page, asked = open_site(f"{address(place)}/index.html")
    assert page.title() == "pyloader: medical-image loaders for the browser, written in Python"
    page.locator("input[name=query]").click()
    page.locator("input[name=query]").press_sequentially(WORD)
    found = page.locator(".md-search-result__link", has_text=WORD).first
    found.wait_for(timeout=10_000)
    found.click()
    page.wait_for_url(re.compile(r"reference/\w+\.html"))
    assert page.get_by_role("heading", name=WORD).count()
    assert len(asked) > 5
    local = ("data:", "blob:", "about:", address(place))
    assert [url for url in asked if not url.startswith(local)] == []


def test_every_page_has_a_title_a_description_and_a_preview(
    site_folder: Path, documents: dict[Path, Document]
) -> None:
    found = []
    for path in documents:
        text = path.read_text()
        [title] = re.findall(r"<title>(.+)</title>", text)
        [description] = re.findall(r'<meta name="description" content="([^"]+\.)">', text)
        [shared] = re.findall(r'<meta property="og:description" content="([^"]+)">', text)
        [picture] = re.findall(r'<meta property="og:image" content="([^"]+)">', text)
        assert (path.parent / picture).resolve() == site_folder / "assets/preview.png"
        assert shared == description
        found.append((title, description))
    titles, descriptions = map(set, zip(*found, strict=True))
    assert len(titles) == len(descriptions) == len(documents)
    assert (site_folder / "assets/preview.png").is_file()


def test_reference_shows_no_internals_of_the_context(site_folder: Path) -> None:
    text = (site_folder / "reference/python.html").read_text()
    assert 'id="pyloader.Context.fetch"' in text
    assert "load_functions" not in text


@pytest.mark.timeout(240)
@pytest.mark.parametrize("look", LOOKS)
def test_pages_keep_the_rules_of_accessibility(
    site_folder: Path, documents: dict[Path, Document], browser: Browser, look: Look
) -> None:
    page = browser.new_context().new_page()
    show(page, look)
    found = []
    for path in documents if look is LOOKS[0] else [site_folder / f"{kind}.html" for kind in KINDS]:
        page.goto(path.as_uri())
        found += [f"{path.name}, {each}" for each in violations(page, look)]
    page.context.close()
    assert found == []


@pytest.mark.parametrize("look", LOOKS[::2])
def test_pages_can_be_read_without_javascript(
    site_folder: Path, browser: Browser, look: Look
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    show(page, look)
    page.goto((site_folder / "tutorials/cornerstone3d.html").as_uri())
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.locator("article pre").first.is_visible()
    if look.width < 1000:
        page.locator("header label[for=__drawer]").click()
    page.locator("nav.md-nav--primary").get_by_role("link", name="OHIF").click()
    page.wait_for_url("**/ohif.html")
    assert page.get_by_role("heading", level=1).inner_text().startswith("pyloader in OHIF")
    page.context.close()


def test_first_key_leads_past_the_navigation(
    address: Callable[[str], str], open_site: Callable[[str], tuple[Page, list[str]]]
) -> None:
    page, _ = open_site(f"{address('disk')}/guide.html")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.inner_text() == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('article').contains(document.activeElement)")


def test_keys_open_the_navigation_of_a_phone(
    address: Callable[[str], str], open_site: Callable[[str], tuple[Page, list[str]]]
) -> None:
    page, _ = open_site(f"{address('disk')}/guide.html")
    menu = page.get_by_role("button", name="Navigation")
    assert menu.count() == 0, "a wide page shows its navigation"
    page.set_viewport_size({"width": 390, "height": 844})
    where = "document.activeElement.closest('article, .md-sidebar--primary, header')?.tagName"
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(where))
    assert set(reached[1:]) == {"HEADER", "ARTICLE"}, "the closed navigation is no stop"
    menu.focus()
    page.keyboard.press("Enter")
    while page.evaluate(where) == "HEADER":
        page.keyboard.press("Tab")
    page.locator(".md-sidebar--primary :focus").wait_for()


def test_motion_is_reduced_for_those_who_ask(
    address: Callable[[str], str], open_site: Callable[[str], tuple[Page, list[str]]]
) -> None:
    page, _ = open_site(f"{address('disk')}/index.html")
    longest = """
    () => Math.max(...[...document.querySelectorAll('*')].flatMap((element) => {
      const { transitionDuration, animationDuration } = getComputedStyle(element);
      return `${transitionDuration},${animationDuration}`.split(',').map(parseFloat);
    }))
    """
    assert page.evaluate(longest) > 0.1
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(longest) <= 0.001
