"""axe-core in a page: the rules of accessibility that the page breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

SOURCE = (Path(__file__).parents[3] / "web/node_modules/axe-core/axe.min.js").read_text()
DESKTOP, PHONE = (1280, 800), (390, 844)
# Recommended rules are on from the start; this one of WCAG 2.2 is not.
RULES = {"target-size": {"enabled": True}}
# A dark page differs from a light one in its colours alone.
COLOURS = ["color-contrast", "link-in-text-block"]
# Further rows of a long table are like its first ones.
FURTHER = "tbody > tr:nth-child(n + 5)"
RUN = """
async ([options, exclude]) => {
  const { violations } = await axe.run({ exclude }, { ...options, resultTypes: ['violations'] });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ any, all, none, target }) => {
    const reasons = [...any, ...all, ...none].map(({ message }) => message);
    return `${id} at ${target.join(' ')}: ${reasons.join('; ') || help}`;
  }));
}
"""


def violations(page: Page) -> list[str]:
    """Return the violations of a page, light and dark, on a desktop and a phone.

    Each has the look, the rule, the element and what is wrong.
    """
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(SOURCE)
    found = []
    for size in (DESKTOP, PHONE):
        show(page, "light", size)
        broken = page.evaluate(RUN, [{"rules": RULES}, FURTHER])
        show(page, "dark", size)
        dark = page.evaluate(RUN, [{"runOnly": COLOURS}, FURTHER])
        found += [f"{size[0]} pixels: {each}" for each in broken]
        found += [f"{size[0]} pixels, dark: {each}" for each in dark]
    return found


def show(page: Page, scheme: Literal["dark", "light"], size: tuple[int, int]) -> None:
    """Show a page in a scheme of colours and a size, and without motion."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
