"""A real browser for tests of pages: opens a file and says everything that is wrong with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
]  # fmt: skip

#: Text whose contrast with what lies behind it is under 4.5 (3 for large text), as WCAG 2 has it.
FAINT = """() => {
  const rgba = c => [...c.match(/[\\d.]+/g).map(Number), 1].slice(0, 4)
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1)
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= .03928 ? v / 12.92 :
    ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b }
  const behind = e => { const up = e.parentElement ? behind(e.parentElement) : [255, 255, 255, 1];
    return over(rgba(getComputedStyle(e).backgroundColor), up) }
  const faint = []
  for (const e of document.body.querySelectorAll('*')) {
    if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())) continue
    if (!e.checkVisibility()) continue
    const style = getComputedStyle(e), back = behind(e), ink = over(rgba(style.color), back)
    const [hi, lo] = [light(ink), light(back)].sort((a, b) => b - a)
    const ratio = (hi + .05) / (lo + .05)
    const large = parseFloat(style.fontSize) >= 24
    if (ratio < (large ? 3 : 4.5)) faint.push(`${e.tagName}.${e.className}: ${ratio.toFixed(2)}`)
  }
  return [...new Set(faint)]
}"""

#: Pictures that do not show: images without pixels, references to nothing, drawings of no size.
BROKEN = """async () => {
  const broken = []
  for (const i of document.images) if (!i.naturalWidth) broken.push(`img ${i.src.slice(0, 80)}`)
  for (const i of document.querySelectorAll('svg image')) {
    const loaded = new Image(); loaded.src = i.getAttribute('href')
    try { await loaded.decode() } catch { broken.push(`image ${loaded.src.slice(0, 80)}`) }
  }
  for (const u of document.querySelectorAll('svg use')) {
    const box = u.getBoundingClientRect(), folded = u.closest('details:not([open])')
    if (!document.querySelector(u.getAttribute('href'))) broken.push(`use ${u.outerHTML}`)
    else if (!folded && !(box.width > 8 && box.height > 8)) broken.push(`no size: ${u.outerHTML}`)
  }
  return broken
}"""

DANGLING = """() => [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))
  .filter(h => !h.startsWith('#') || !document.getElementById(decodeURIComponent(h.slice(1))))"""

WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Seen:
    """What happened while a page was open."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Everything that is wrong with the page, one line each; nothing if nothing is."""
        wrong = list(self.errors)
        wrong += [f"loads {url[:90]}" for url in self.requests if not url.startswith("data:")]
        wrong += [f"broken {what}" for what in self.page.evaluate(BROKEN)]
        wrong += [f"dangling {href}" for href in self.page.evaluate(DANGLING)]
        wrong += [f"faint {what}" for what in self.page.evaluate(FAINT)]
        if (wide := self.page.evaluate(WIDE)) > 0:
            wrong.append(f"scrolls sideways by {wide} px")
        return wrong


class Browser:
    """Opens files."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium

    @contextmanager
    def open(self, path: Path, width: int = 1280, theme: str = "light") -> Iterator[Seen]:
        """Open a file in a window of that width."""
        page = self._chromium.new_page(
            viewport={"width": width, "height": 900}, color_scheme=theme, offline=True
        )
        seen = Seen(page)
        page.on("console", lambda m: seen.errors.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: seen.errors.append(f"error: {e}"))
        page.on("dialog", lambda d: (seen.errors.append(f"dialog: {d.message}"), d.dismiss()))
        page.on("requestfailed", lambda r: seen.errors.append(f"failed: {r.url[:90]}"))
        page.on("request", lambda r: seen.requests.append(r.url))
        try:
            page.goto(path.as_uri())
            seen.requests.remove(path.as_uri())
            yield seen
        finally:
            page.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """The Chromium of this machine; without one the test is skipped, or fails if it must not."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        why = f"NO BROWSER: none of {', '.join(NAMES)} is installed; pages were NOT looked at"
        if os.environ.get("HUBEL_REQUIRE_BROWSER") == "1":
            pytest.fail(why)
        pytest.skip(why)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield Browser(chromium)
        finally:
            chromium.close()
