"""A real Chromium, the system's own, without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PAINTED = """(canvas, name) => {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pixels = copy.getContext("2d", { willReadFrequently: true });
  pixels.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
  pixels.fillRect(0, 0, 1, 1);
  const wanted = pixels.getImageData(0, 0, 1, 1).data;
  pixels.clearRect(0, 0, 1, 1);
  pixels.drawImage(canvas, 0, 0);
  const { data } = pixels.getImageData(0, 0, copy.width, copy.height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    found += data[at + 3] > 8 && [0, 1, 2].every((part) => Math.abs(data[at + part] - wanted[part]) < 14);
  }
  return found / (data.length / 4);
}"""


def painted(canvas: Locator, colour: str) -> float:
    """The share of a canvas that is painted in one of the page's colours, however thinly."""
    share: float = canvas.evaluate(PAINTED, colour)
    return share


def chromium_path() -> str:
    """Where it is. Without one the test is skipped, by that reason; in CI, where it has to be, the test fails."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = f"none of {', '.join(NAMES)} is installed: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own."""
    path = chromium_path()
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield made
        finally:
            made.close()


class Watched:
    """A page that is offline, and what went wrong on it."""

    def __init__(self, made: Browser, *, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        self.context = made.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.context.set_offline(True)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
