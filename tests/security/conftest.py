"""The browser and the site of the browser tests, for those of security."""

from tests.browser.conftest import browser, open_page, playwright, site

__all__ = ["browser", "open_page", "playwright", "site"]
