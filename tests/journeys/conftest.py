"""Journeys in a real browser, Debian's Chromium: `make journeys` runs them, `make test` does not."""

import os
from typing import Any

import pytest
from django.core.cache import cache

from tests import chromium

# Playwright's own loop runs in this thread, which Django takes for a reason to refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the browser of this machine."""
    try:
        return {**browser_type_launch_args, "executable_path": chromium.program(), "args": chromium.FLAGS}
    except chromium.NoBrowser as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(autouse=True)
def provider(transactional_db: None, catalogue: None) -> None:
    """The groups, which migrate makes again after each flush, and a catalogue; nobody's log-ins are counted yet."""
    cache.clear()
