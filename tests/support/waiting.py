"""Waiting for a page, under policies that forbid to evaluate texts."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Frame, Page


def until(page: Page | Frame, expression: str) -> Any:
    """Wait for something true, as Playwright does by evaluating texts in the page."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = page.evaluate(expression)
        if found:
            return found
        page.wait_for_timeout(50)
    raise TimeoutError(expression)
