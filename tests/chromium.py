"""Finds a browser on this machine, since Playwright's own builds can't be downloaded everywhere."""

import os
import shutil

NO_BROWSER = "A browser is needed: install Chromium (apt-get install chromium), or name its program in CHROMIUM."
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run"]


class NoBrowser(Exception):
    """There is no browser on this machine."""


def program() -> str:
    """Return the path of the browser's executable. Raises NoBrowser if there is none."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise NoBrowser(NO_BROWSER)
    return found
