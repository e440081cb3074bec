"""WebKit as tests need it: GTK's MiniBrowser, driven by WebDriver on a screen of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Remote
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import HTTPError

NEEDED = "install the Debian packages webkit2gtk-driver and xvfb"
DRIVER = shutil.which("WebKitWebDriver")
SCREEN = shutil.which("Xvfb")
BROWSER = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"), None)
TIMEOUT_SECONDS = 60
# A session starts in a second or two.
START_SECONDS, STARTS = 30, 4
# What a page does with an expression of a test, as Playwright has it: a function is called.
EVALUATE = """
const [argument, done] = arguments;
(async () => {
  const value = (%s);
  return typeof value === 'function' ? value(argument) : value;
})().then((value) => done({ value }), (error) => done({ error: `${error}\\n${error?.stack}` }));
"""


def is_installed() -> bool:
    """Tell whether all that is needed stands on this machine."""
    return all((DRIVER, SCREEN, BROWSER))


@contextmanager
def screen() -> Iterator[str]:
    """Have a screen that nobody sees, and yield its name."""
    ours, theirs = os.pipe()
    program = subprocess.Popen(
        [str(SCREEN), "-displayfd", str(theirs), "-screen", "0", "1280x900x24"],
        pass_fds=[theirs],
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    try:
        with os.fdopen(ours) as told:
            yield f":{told.readline().strip()}"
    finally:
        program.terminate()
        program.wait()


class WebKitPage:
    """A window of WebKit's, with those of the methods of Playwright's page that tests here call."""

    def __init__(self, display: str) -> None:
        for attempt in range(STARTS):
            self.service = Service(executable_path=DRIVER, env={**os.environ, "DISPLAY": display})
            self.service.start()
            try:
                self.driver = self.start_session()
                break
            except HTTPError:  # on a busy machine the driver now and then never answers
                self.service.stop()
                if attempt == STARTS - 1:
                    raise
        self.driver.set_script_timeout(TIMEOUT_SECONDS)

    def start_session(self) -> Remote:
        """Open a window, and connect to it."""
        options = Options()
        options.binary_location = str(BROWSER)
        options.add_argument("--automation")
        options.set_capability("browserName", "MiniBrowser")
        address = ClientConfig(remote_server_addr=self.service.service_url, timeout=START_SECONDS)
        driver = Remote(RemoteConnection(client_config=address), options=options)
        address.timeout = 2 * TIMEOUT_SECONDS
        return driver

    def goto(self, url: str) -> None:
        """Open a URL, and wait until it has loaded."""
        self.driver.get(url)

    def evaluate(self, expression: str, argument: Any = None) -> Any:
        """Return what an expression is in the page; of a promise, what it comes to."""
        found = self.driver.execute_async_script(EVALUATE % expression, argument)
        assert "error" not in found, found["error"]
        return found.get("value")

    def close(self) -> None:
        """Close the window, and the browser with it."""
        self.driver.quit()
        self.service.stop()
