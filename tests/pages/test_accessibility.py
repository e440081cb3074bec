"""The demo pages by axe-core's rules, light and dark, on a desktop and a phone; and by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.pages import DIST
from tests.support.pages.axe import LOOKS, show, violations
from tests.support.pages.demo import wait
from tests.support.webserver import WebServer

PAGES = sorted(path.name for path in (DIST / "demo").glob("*.html"))
PHONE = LOOKS[-1]
FAILING = "index.html#reportsi.dcm"  # a structured report, which has no image
# Pages without Python have no state.
IS_SETTLED = """
() => {
  const { state, volume } = document.documentElement.dataset;
  return ['shown', 'failed', undefined].includes(state) && volume !== 'loading';
}
"""
# Name the elements that Tab should reach, and note which it reaches with nothing to be seen.
WATCH = """
() => {
  const all = [...document.querySelectorAll('a[href], button, input, select, summary, textarea, [tabindex="0"]')];
  const name = (element) => `${all.indexOf(element)} ${element.outerHTML.slice(0, 80)}`;
  const style = (element) => getComputedStyle(element.closest('.editor, .files') ?? element);
  const isSeen = (element) => style(element).outlineStyle !== 'none';
  globalThis.reached = [];
  globalThis.unseen = [];
  addEventListener('focusin', ({ target }) => {
    reached.push(name(target));
    if (!isSeen(target)) unseen.push(name(target));
  });
  document.activeElement.blur();
  return all.filter((element) => element.checkVisibility() && !element.disabled).map(name);
}
"""
FOCUSED = "document.activeElement.className || document.activeElement.id"


@pytest.fixture(scope="module", params=[*PAGES, FAILING])
def visited(browser: Browser, site: WebServer, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Return a demo page that shows its first image, or why there is none, and all that opens."""
    page = browser.new_context().new_page()
    page.goto(f"{site.url}/demo/{request.param}")
    page.wait_for_function(IS_SETTLED, timeout=60_000)
    page.eval_on_selector_all("details", "(all) => all.forEach((each) => (each.open = true))")
    yield page
    page.context.close()


def test_page_keeps_the_rules(visited: Page) -> None:
    found = []
    for look in LOOKS:
        show(visited, look)
        found += violations(visited, look)
    assert found == []


def test_keys_reach_every_control_and_show_where_they_are(visited: Page) -> None:
    controls = visited.evaluate(WATCH)
    assert len(controls) > 10
    for _ in controls:
        if visited.evaluate("document.activeElement.matches('textarea')"):
            visited.keyboard.press("Escape")
        visited.keyboard.press("Tab")
    assert set(controls) - set(visited.evaluate("reached")) == set()
    assert visited.evaluate("unseen") == []


def test_first_key_leads_past_the_navigation(demo: Callable[[str], Page]) -> None:
    page = demo("custom-loader.html")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.file") == "raw.py"


def test_phone_shows_which_page_is_current(demo: Callable[[str], Page]) -> None:
    page = demo("conformance.html")
    page.set_viewport_size({"width": PHONE.width, "height": PHONE.height})
    page.reload()
    box = page.locator("nav [aria-current]").bounding_box()
    assert box
    assert box["x"] + box["width"] <= PHONE.width


def test_editor_indents_by_tab_and_lets_the_keyboard_out(demo: Callable[[str], Page]) -> None:
    page = demo("custom-loader.html")
    wait(page, "shown")
    area = page.get_by_role("textbox", name="my_loader.py")
    area.focus()
    before = area.input_value()
    page.keyboard.press("Tab")
    assert area.input_value() == f"    {before}"
    description = page.locator(f"#{area.get_attribute('aria-describedby')}").inner_text()
    assert "Esc, then Tab, leaves the editor" in description
    for keys in ("Shift+Tab", "Tab"):
        area.focus()
        page.keyboard.press("Escape")
        page.keyboard.press(keys)
        assert not area.evaluate("(area) => area === document.activeElement"), keys
    assert area.input_value() == f"    {before}"
