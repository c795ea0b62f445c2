"""Takes the pictures in docs/pictures/: `make pictures` plays the demo in its own database and takes screenshots.

The demo begins at MOMENT, for both Python and the database, and settings of this machine are ignored. So a picture
differs from an earlier one only if the page has changed (or the machine's fonts or browser differ).
"""

import io
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import time_machine
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests import chromium

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
# Named so that the guards of time allow what is dated at MOMENT.
DATABASE = "test_pictures"
# In the past, since the database refuses events of the future, and always the same day.
MOMENT = datetime(2026, 3, 20, 15, 0, 1, tzinfo=UTC)
SETTINGS = {
    "DEBUG": "true",
    "EMAIL_URL": "memorymail://",
    "BRAND_NAME": "HostPilot",
    "LOG_LEVEL": "ERROR",
    "ONBOARDING_DEADLINE_DAYS": "60",
    "ONBOARDING_BLACKOUT_DATES": "",
    "STAFF_SECOND_FACTOR": "false",
    "MAINTENANCE_FILE": "outbox/.maintenance",
}
# These functions shadow PostgreSQL's own if they are called without a schema. The guards name the schema, so they use
# the real time.
CLOCK = """
CREATE SCHEMA clock;
CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    RETURN pg_catalog.clock_timestamp() - interval '{seconds} seconds';
CREATE FUNCTION clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN pg_catalog.statement_timestamp() - interval '{seconds} seconds';
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN pg_catalog.now() - interval '{seconds} seconds';
"""
FIRST_PATH = "-c search_path=public,clock,pg_catalog"

HERON, FAIRVIEW = "/accounts/100002/", "/accounts/100006/"
WORKLIST = "/admin/onboarding/onboarding/"


@dataclass(frozen=True)
class Picture:
    """A page as one of the demo's people sees it. `clicks` are selectors to click first, in this order."""

    name: str
    who: str
    path: str
    clicks: tuple[str, ...] = ()
    scheme: str = "light"
    width: int = 1440
    height: int = 900


PICTURES = [
    Picture("overview", "hannah", HERON + "contact-center/"),
    Picture("subscription", "hannah", HERON + "contact-center/subscription/"),
    Picture("users", "hannah", HERON + "contact-center/users/"),
    Picture("phone-numbers", "hannah", HERON + "contact-center/phone-numbers/"),
    Picture("go-live", "hannah", HERON + "contact-center/go-live/"),
    Picture("audit-log", "hannah", HERON + "audit-log/"),
    Picture("billing", "fiona", FAIRVIEW + "billing/"),
    Picture("invoice", "fiona", FAIRVIEW + "billing/invoices/2/", clicks=("main .lines details > summary",)),
    Picture("usage", "fiona", FAIRVIEW + "billing/usage/?month=2026-02"),
    Picture("dashboard", "tom", "/admin/"),
    Picture("worklist", "tom", WORKLIST),
    Picture("activation", "tom", WORKLIST, clicks=("#result_list a:has-text('100002')", "a:has-text('Activate…')")),
    Picture("overview-dark", "fiona", FAIRVIEW + "contact-center/", scheme="dark"),
    Picture("subscription-dark", "fiona", FAIRVIEW + "contact-center/subscription/", scheme="dark"),
    Picture("overview-phone", "hannah", HERON + "contact-center/", width=390, height=844),
]


def main() -> None:
    os.environ.update(SETTINGS, DJANGO_SETTINGS_MODULE="config.settings", DJANGO_ALLOW_ASYNC_UNSAFE="true")
    django.setup()
    FOLDER.mkdir(exist_ok=True)
    with own_database(), time_machine.travel(MOMENT, tick=True):
        play()
        with served() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium.program(),
                args=[*chromium.FLAGS, "--disable-lcd-text", "--font-render-hinting=none", "--hide-scrollbars"],
            )
            take(browser, address)
            browser.close()
    for path in set(FOLDER.glob("*.png")) - {file_of(picture) for picture in PICTURES}:
        path.unlink()
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    sys.stdout.write(f"{len(PICTURES)} pictures, {size // 1000} KB, are in docs/pictures/\n")


@contextmanager
def own_database() -> Iterator[None]:
    """Create a database with a changed clock, make Django use it within the block, and drop it at the end."""
    from django.db import connection  # noqa: PLC0415 - needs Django to be set up

    from demo.database import MARK  # noqa: PLC0415

    seconds = int((datetime.now(UTC) - MOMENT).total_seconds())
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    connection.close()
    connection.settings_dict["NAME"] = DATABASE
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    connection.settings_dict["OPTIONS"] = {**options, "options": f"{options['options']} {FIRST_PATH}"}
    try:
        with connection.cursor() as cursor:
            cursor.execute(CLOCK.format(seconds=seconds))
            cursor.execute(f"COMMENT ON DATABASE {DATABASE} IS %s", [MARK])  # otherwise the demo refuses to use it
        yield
    finally:
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def play() -> None:
    """Play the demo without its output."""
    from django.core.management import call_command  # noqa: PLC0415 - needs Django to be set up

    with redirect_stdout(io.StringIO()):
        call_command("demo")


@contextmanager
def served() -> Iterator[str]:
    """Serve the pages from a thread, as `make serve` does, and yield their base URL."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: PLC0415 - needs Django to be set up
    from django.test.testcases import LiveServerThread  # noqa: PLC0415

    server = LiveServerThread("localhost", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    try:
        yield f"http://{server.host}:{server.port}"
    finally:
        server.terminate()


def take(browser: Browser, address: str) -> None:
    """Take each picture in its own window."""
    from demo.provider import PASSWORD  # noqa: PLC0415 - needs Django to be set up

    for picture in PICTURES:
        context = browser.new_context(
            base_url=address,
            color_scheme=picture.scheme,
            viewport={"width": picture.width, "height": picture.height},
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="UTC",
        )
        page = context.new_page()
        page.goto(picture.path)
        page.get_by_label("Email").fill(f"{picture.who}@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto(picture.path)  # again, because the message of the login is shown only once
        for what in picture.clicks:
            page.locator(what).first.click()
        save(photograph(page), file_of(picture))
        context.close()


def photograph(page: Page) -> bytes:
    """Return a screenshot of the window after everything has loaded, with nothing focused or hovered."""
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    return page.screenshot(animations="disabled", caret="hide")


def save(content: bytes, path: Path) -> None:
    """Write the picture with its own palette, which takes a third of the size without a visible difference.

    Half of the palette is the most frequent colors, exactly. The other half is spread over all colors of the page, so
    that the few pixels of a check mark stay green.
    """
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    colours = [colour for _, colour in sorted(picture.getcolors(picture.width * picture.height), reverse=True)]
    spread = picture.quantize(128, method=Image.Quantize.FASTOCTREE).convert("RGB").getcolors() or []
    palette = [*colours[:128], *(colour for _, colour in spread)]
    # Pillow's own mapping sometimes takes a neighboring color, even if the palette has the exact one.
    nearest = {colour: min(range(len(palette)), key=lambda at: math.dist(palette[at], colour)) for colour in colours}
    reduced = Image.new("P", picture.size)
    reduced.putpalette([channel for colour in palette for channel in colour])
    reduced.putdata([nearest[colour] for colour in picture.get_flattened_data()])
    reduced.save(path, optimize=True)


def file_of(picture: Picture) -> Path:
    return FOLDER / f"{picture.name}.png"


if __name__ == "__main__":
    try:
        main()
    except chromium.NoBrowser as missing:
        sys.exit(str(missing))
