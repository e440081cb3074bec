"""The snapshot that a page has kept."""

from __future__ import annotations

from playwright.sync_api import Page

STORED = """async ([wanted, count]) => {
    for (;;) {
        const kept = await (await caches.open('pyloader')).keys();
        const urls = kept.map(({ url }) => url).filter((url) => url.startsWith(location.origin));
        const names = urls.map((url) => url.slice(location.origin.length)).sort();
        const isWanted = names.every((name) => new RegExp(wanted).test(name));
        if (names.length === count && isWanted) return names;
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}"""


def wait_until_kept(page: Page) -> str:
    """Return the address by which the snapshot is kept."""
    (name,) = page.evaluate(STORED, ["snapshot.bin", 1])
    return str(name)
