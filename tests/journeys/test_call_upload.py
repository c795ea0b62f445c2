"""A call file of another system is previewed in a new tab, and then imported from the same form."""

from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, PhoneNumber, User
from billing.models import CallMapping, CallRecord
from subscriptions.actions import assign_number, install
from tests.billing.call_files import FOLDER, NUMBER
from tests.conftest import INSTALLED, PASSWORD
from tests.journeys.test_smoke import E_MAIL

COLUMNS = {
    "Id of the call": "id",
    "Called number": "cld",
    "Caller": "cli",
    "Start": "start_timestamp",
    "Seconds": "call_sec",
}


def test_a_file_is_looked_at_and_then_imported(
    live_server: LiveServer,
    page: Page,
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
) -> None:
    ada = make_user("ada@example.com", is_staff=True, is_superuser=True)
    account = make_account("100006", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    install(account, edition="cc-pro", by=ada, now=INSTALLED)
    number = PhoneNumber.objects.create(account=account, number=NUMBER)
    assign_number(account, number, by=ada, now=INSTALLED)
    page.goto(f"{live_server.url}/admin/billing/callimport/import/")
    page.get_by_label(E_MAIL).fill("ada@example.com")
    page.get_by_label("password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("input[type=file]").set_input_files(FOLDER / "e02-telnyx.csv")
    page.get_by_text("The file has other columns").click()
    for label, column in COLUMNS.items():
        page.get_by_label(label, exact=True).fill(column)
    page.get_by_label("Save these columns as").fill("Telnyx")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Preview the first 10 rows").click()
    expect(opened.value.get_by_text("A call", exact=True)).to_be_visible()
    assert not CallRecord.objects.exists()
    opened.value.close()
    page.get_by_role("button", name="Import calls").click()
    expect(page.get_by_text("1 call is new")).to_be_visible()
    assert CallRecord.objects.get().seconds == 61
    assert CallMapping.objects.get().name == "Telnyx"
