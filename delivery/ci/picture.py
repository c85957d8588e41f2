"""A picture of a page, by whichever headless Chromium there is."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from delivery.errors import ToolMissing

# Ubuntu, and with it GitHub's runners, has the first; Debian the second.
BROWSERS = ("google-chrome", "chromium", "chromium-browser")
SIZE = "1200,1600"
PATIENCE_SECONDS = 120
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--virtual-time-budget=4000", f"--window-size={SIZE}"),
)


def take(url: str, target: Path) -> Path:
    """Write what a browser shows at `url` to `target`, as PNG.

    Raises:
        ToolMissing: there is no browser, or it took no picture.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise ToolMissing(
            f"none of {', '.join(BROWSERS)} is installed",
            where="PATH",
            remedy="install Chromium; without it there is no picture of the status page",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *OPTIONS, f"--user-data-dir={profile}", f"--screenshot={target}", url]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    if ended.returncode != 0 or not target.is_file():
        raise ToolMissing(
            f"{browser} took no picture: {ended.stderr.strip()[-300:]}",
            where=url,
            remedy="run it by hand with --headless --screenshot",
        )
    return target
