"""axe-core in a page: the rules of accessibility that the page breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Page

SOURCE = (Path(__file__).parents[3] / "web/node_modules/axe-core/axe.min.js").read_text()
# Recommended rules are on from the start; this one of WCAG 2.2 is not.
ALL = {"rules": {"target-size": {"enabled": True}}}
# A dark page differs from a light one in its colours alone.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
# Further rows of a long table, and further names of a reference, are like its first ones: they go.
FURTHER = ", ".join(
    [
        "tbody > tr:nth-child(n + 5)",
        "h3:nth-of-type(n + 8) ~ *",
        ".doc-children > .doc-object:nth-child(n + 6)",
        "nav li:nth-child(n + 14)",
    ]
)
RUN = """
async ([options, further]) => {
  for (const element of document.querySelectorAll(further)) element.remove();
  const { violations } = await axe.run({ ...options, resultTypes: ['violations'], preload: false });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ any, all, none, target }) => {
    const reasons = [...any, ...all, ...none].map(({ message }) => message);
    return `${id} at ${target.join(' ')}: ${reasons.join('; ') || help}`;
  }));
}
"""


class Look(NamedTuple):
    """The look of a page: its scheme of colours, and its size in CSS pixels."""

    scheme: Literal["light", "dark"]
    width: int
    height: int


LOOKS = [
    Look("light", 1280, 800),
    Look("dark", 1280, 800),
    Look("light", 390, 844),
    Look("dark", 390, 844),
]


def show(page: Page, look: Look) -> None:
    """Show a page in a look, and without motion."""
    page.set_viewport_size({"width": look.width, "height": look.height})
    page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")


def violations(page: Page, look: Look) -> list[str]:
    """Return the violations of a page in a look: the rule, the element, and what is wrong."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(SOURCE)
    options = ALL if look.scheme == "light" else COLOURS
    found = page.evaluate(RUN, [options, FURTHER])
    return [f"{look.scheme}, {look.width} pixels: {each}" for each in found]
