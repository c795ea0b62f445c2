"""Fixtures for the journeys in a real browser, which `make journeys` runs and `make test` does not."""

import os
from typing import Any

import pytest
from django.core.cache import cache

from tests import chromium

# Playwright runs an event loop in this thread, in which Django would otherwise refuse to use the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the browser that is installed on this machine. Fails if there is none."""
    try:
        return {**browser_type_launch_args, "executable_path": chromium.program(), "args": chromium.FLAGS}
    except chromium.NoBrowser as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(autouse=True)
def provider(transactional_db: None, catalogue: None) -> None:
    """The groups, which `migrate` creates, and the catalog, with no login attempts counted yet."""
    cache.clear()


@pytest.fixture(autouse=True)
def site_url(live_server: Any, settings: Any) -> None:
    """Links in emails lead to the server of the test."""
    settings.SITE_URL = live_server.url
