"""A bill from the email to the minute: a customer says whom it is for, opens it, files it, and checks its calls."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import facturx
import pytest
from django.core.mail import EmailMultiAlternatives
from playwright.sync_api import Browser, Page, expect

from accounts.models import Account, PhoneNumber, User
from billing.actions import issue_credit_note
from billing.models import Invoice
from tests.billing.bills import IN_APRIL, bill, march
from tests.billing.conftest import answered, charged
from tests.billing.documents.standard import errors_in
from tests.conftest import PASSWORD
from tests.journeys.looking import look_everywhere, open_all
from tests.mailing import delivered

__all__ = ["answered", "charged"]
NEW_PROFILE = {
    "Legal name": "Acme Support, LLC",
    "Street": "500 Market Street",
    "City": "Portland",
    "State or region": "OR",
    "Postal code": "97201",
    "Purchase order number": "PO-7",
}


@pytest.fixture
def new_page(browser: Browser, live_server: Any) -> Iterator[Callable[[], Page]]:
    """Return a function that opens a window of a browser that nobody has logged in with."""
    contexts = []

    def make() -> Page:
        contexts.append(browser.new_context(base_url=live_server.url, reduced_motion="reduce"))
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


def log_in(page: Page, user: User) -> None:
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def link_in(email: EmailMultiAlternatives) -> str:
    found = re.search(r"https?://\S+", str(email.body))
    assert found
    return found[0]


def test_from_the_email_to_the_minute(
    new_page: Callable[[], Page], charged: Account, answered: PhoneNumber, owner: User, biller: User, tmp_path: Path
) -> None:
    page = new_page()
    page.goto("/accounts/100001/billing/profile/")
    log_in(page, owner)
    for label, value in NEW_PROFILE.items():
        page.get_by_label(label, exact=False).first.fill(value)
    page.get_by_label("Country").select_option("US")
    page.get_by_label("Attach the XML file to emails").check()
    look_everywhere(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The billing profile was saved.")

    march(charged, owner)
    bill()
    [email] = [email for email in delivered() if email.subject.startswith("Invoice")]
    assert [attachment[0] for attachment in email.attachments] == ["INV-000001.pdf", "INV-000001.xml"]

    page = new_page()
    page.goto(link_in(email))
    log_in(page, owner)
    expect(page.get_by_role("heading", name="INV-000001 · March 2026")).to_be_visible()
    expect(page.get_by_text("Please pay $76.76 by May 2, 2026.")).to_be_visible()
    expect(page.get_by_text("Sent to olivia@example.com on")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="XML").click()
    assert download.value.suggested_filename == "INV-000001.xml"
    saved = tmp_path / "invoice.xml"
    download.value.save_as(saved)
    assert errors_in(saved.read_bytes()) == []
    pdf = page.request.get(page.get_by_role("link", name="PDF").get_attribute("href") or "").body()
    assert facturx.get_xml_from_pdf(pdf)[1] == saved.read_bytes()

    invoice = Invoice.objects.get()
    issue_credit_note(charged, invoice, amount=Decimal(5), reason="Line was down", by=biller, now=IN_APRIL)
    page.reload()
    expect(page.get_by_role("cell", name="$71.76")).to_be_visible()  # what remains
    open_all(page)
    look_everywhere(page)

    page.goto("/accounts/100001/billing/usage/?month=2026-03")
    open_all(page)
    page.get_by_role("link", name="March 20").click()
    expect(page.get_by_text("(800) 555-0100").first).to_be_visible()
    expect(page.get_by_role("cell", name="100", exact=True).first).to_be_visible()
    look_everywhere(page)
