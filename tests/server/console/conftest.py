"""A real Chromium. Its tests skip where it, or what drives it, is absent."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.running import Running, running

KEY = "s3cret"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def keyed() -> Iterator[Running]:
    """A server that asks for `KEY`."""
    with running(env_extra={"GAPO_API_KEY": KEY}) as started:
        yield started


@pytest.fixture(scope="module")  # what drives it runs an event loop in this thread, where others want theirs
def chromium() -> Iterator[Any]:
    drive = pytest.importorskip("playwright.sync_api", reason="playwright is absent: pip install playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser is installed; looked for {', '.join(BROWSERS)}")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with drive.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"] if as_root else [])
        yield browser
        browser.close()


class Tab:
    """A page that minds every request to another server and every word on the console."""

    def __init__(self, chromium: Any, rest: str, **options: Any) -> None:
        self.rest = rest
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, address: str = "/") -> Any:
        self.page.goto(self.rest + address)
        return self.page

    def run(self, prompt: str, *responses: str) -> None:
        """Fills in and presses Ctrl+Enter."""
        self.page.fill("#prompt", prompt)
        for number, response in enumerate(responses, 1):
            if not self.page.locator(f"#response-{number}").count():
                self.page.click("#add")
            self.page.fill(f"#response-{number}", response)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_selector("#results:not([aria-busy])", state="attached")

    def assert_quiet(self) -> None:
        """Browsers themselves log what is refused with a status; nothing else may be said."""
        assert [told for told in self.complaints if "Failed to load resource" not in told] == []
        assert {url for url in self.asked if not url.startswith((self.rest + "/", "data:"))} == set()


@pytest.fixture
def tab(chromium, server) -> Iterator[Any]:
    """Opens tabs of the shared server, or of another one."""
    opened = []

    def start(rest: str = server.rest, **options: Any) -> Tab:
        opened.append(Tab(chromium, rest, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.context.close()
    for one in opened:
        one.assert_quiet()
