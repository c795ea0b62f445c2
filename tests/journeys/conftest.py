"""Journeys in a real browser, Debian's Chromium: `make journeys` runs them, `make test` does not."""

import os
import shutil
from typing import Any

import pytest
from django.core.cache import cache

# Playwright's own loop runs in this thread, which Django takes for a reason to refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

NO_BROWSER = "The journeys need Chromium: install it (apt-get install chromium), or name its program in CHROMIUM."


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the browser of this machine: Playwright's own builds can't be downloaded everywhere."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail(NO_BROWSER, pytrace=False)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run"]
    return {**browser_type_launch_args, "executable_path": program, "args": flags}


@pytest.fixture(autouse=True)
def provider(transactional_db: None, catalogue: None) -> None:
    """The groups, which migrate makes again after each flush, and a catalogue; nobody's log-ins are counted yet."""
    cache.clear()
