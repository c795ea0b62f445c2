"""The admin's pages to void, take and dismiss: which questions they ask, and who can use them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Account, PhoneNumber, Refusal, User
from billing.actions import issue_credit_note, release_bill, run_bills, run_bills_automatically, void_record
from billing.documents.paper import invoice_paper
from billing.models import BillOnHold, CallImport, CallRecord, Invoice, RejectedCall, SetAsideCall
from tests.billing.call_rows import file_of, imported, row
from tests.billing.calls.test_record_identity import fates
from tests.guarding import nothing_written

MARCH = date(2026, 3, 1)
APRIL_2 = datetime(2026, 4, 2, 12, tzinfo=UTC)
MAY_2 = datetime(2026, 5, 2, 12, tzinfo=UTC)


@pytest.fixture
def client(biller: User) -> Client:
    client = Client()
    client.force_login(biller)
    return client


@pytest.fixture
def came(answered: PhoneNumber) -> CallImport:
    imported([row("c1", seconds=5_400), row("c2"), row("c3"), row("c3", seconds=5), row("c4", seconds=-1)])
    return CallImport.objects.get()


def url(name: str, row_: Any) -> str:
    return reverse(f"admin:billing_{name}", args=[row_.pk])


def pages() -> list[str]:
    record = CallRecord.objects.in_effect().get(call_id="c1")
    kept = SetAsideCall.objects.get(seconds=5)
    return [
        url("callrecord_void_record", record),
        url("callimport_void", record.call_import),
        url("setasidecall_take", kept),
        url("setasidecall_dismiss", kept),
        url("rejectedcall_dismiss", RejectedCall.objects.get()),
    ]


def test_each_page_asks_for_a_reason_and_does_it_once(came: CallImport, client: Client) -> None:
    for page in (pages()[0], *pages()[2:3], *pages()[4:]):
        asked = client.get(page)
        assert asked.status_code == 200
        with nothing_written():
            assert "Enter a reason." in client.post(page, {"reason": " "}).content.decode()
        answer = client.post(page, {"reason": "Wrong"}, follow=True)
        assert answer.redirect_chain
        with nothing_written():
            assert "already" in client.post(page, {"reason": "Again"}, follow=True).content.decode()
    assert CallRecord.objects.voided().get().call_id == "c1"
    assert SetAsideCall.objects.get(seconds=5).state == "taken"
    assert RejectedCall.objects.get().state == "dismissed"


def test_an_import_is_voided_and_a_record_dismissed(came: CallImport, client: Client) -> None:
    assert (
        "2 records count as if never made: 2 charged calls with 92 minutes" in client.get(pages()[1]).content.decode()
    )
    client.post(pages()[3], {"reason": "A copy"})
    client.post(pages()[1], {"reason": "Wrong feed"})
    assert not CallRecord.objects.in_effect().exists()
    assert SetAsideCall.objects.get(seconds=5).state == "dismissed"
    page = client.get(url("callrecord_change", CallRecord.objects.first())).content.decode()
    assert "Wrong feed" in page


def test_an_import_that_is_voided_already_is_no_success(came: CallImport, client: Client) -> None:
    page = url("callimport_void", came)
    for told, count in (("alert-success", "2 records of"), ("alert-info", "No record of")):
        answer = client.post(page, {"reason": "Wrong"}, follow=True)
        (message,) = answer.context["messages"]
        assert (message.tags, str(message).startswith(count)) == (told.removeprefix("alert-"), True)


def test_a_record_that_is_taken_for_nothing_speaks_of_no_void(came: CallImport, client: Client) -> None:
    page = client.get(url("setasidecall_take", SetAsideCall.objects.get(seconds=5))).content.decode()
    assert "counts from then on" in page
    assert "as if never made" not in page
    imported([row("c1", seconds=5)])
    page = client.get(url("setasidecall_take", SetAsideCall.objects.get(call_id="c1"))).content.decode()
    assert "1 record counts as if never made" in page


def test_others_are_neither_offered_the_pages_nor_let_in(came: CallImport, member: User, supporter: User) -> None:
    for user in (member, supporter):
        client = Client()
        client.force_login(user)
        for page in pages():
            with nothing_written(but=(Refusal,)):
                assert client.get(page).status_code == client.post(page, {"reason": "Mine"}).status_code == 403
        assert "Void…" not in client.get(url("callrecord_change", CallRecord.objects.first())).content.decode()
        assert "take_voided" not in client.get(reverse("admin:billing_callimport_changelist")).content.decode()


def test_the_question_about_credit_notes(came: CallImport, account: Account, client: Client, biller: User) -> None:
    run_bills(MARCH, now=APRIL_2)
    issue_credit_note(account, Invoice.objects.get(), amount=Decimal("4.05"), reason="The call", by=biller)
    page = pages()[0]
    assert "CN-000001 credited $4.05 on INV-000001" in client.get(page).content.decode()
    answer = client.post(page, {"reason": "Wrong"})
    assert "CN-000001 ($4.05 on INV-000001)" in answer.content.decode()
    assert not CallRecord.objects.voided().exists()
    client.post(page, {"reason": "Wrong", "confirm_credited": "on"})
    assert CallRecord.objects.voided().exists()
    credit = reverse("admin:billing_invoice_give_money_back", args=[Invoice.objects.get().pk])
    assert "is a difference that is not invoiced yet" in client.get(credit).content.decode()
    form = {"amount": "0.01", "reason": "Sorry", "creditable": str(Invoice.objects.get().creditable)}
    assert "A difference is not invoiced yet" in client.post(credit, form).content.decode()
    client.post(credit, {**form, "confirm_difference": "on"})
    assert Invoice.objects.get().credit_notes.count() == 2


def test_an_upload_takes_voided_rows_only_with_the_box(came: CallImport, client: Client) -> None:
    client.post(pages()[0], {"reason": "Wrong"})
    for box, fate in (({}, "voided"), ({"take_voided": "on"}, "added")):
        file = SimpleUploadedFile("again.csv", file_of([row("c1", seconds=5_400)]))
        client.post(reverse("admin:billing_callimport_import_calls"), {"file": file, "layout": "", "zone": "", **box})
        assert fates(CallImport.objects.latest("pk")) == {fate: 1, "not_a_call": 1}


def test_the_lists_and_the_dashboard_show_what_waits(came: CallImport, client: Client) -> None:
    waiting = client.get(reverse("admin:billing_setasidecall_changelist"), {"state__exact": "open"})
    assert len(waiting.context["cl"].result_list) == 2
    assert len(client.get(reverse("admin:billing_rejectedcall_changelist"), {"state__exact": "open"})
               .context["cl"].result_list) == 1  # fmt: skip
    page = client.get(reverse("admin:index")).content.decode()
    assert ">2</b>call records set aside" in page
    assert ">1</b>rejected row<" in page
    run_bills(MARCH, now=APRIL_2)
    assert ">0</b>failed in the last run" in client.get("/admin/").content.decode()  # calls are set aside, not accounts
    found = client.get(reverse("admin:billing_callrecord_changelist"), {"q": "c1"})
    assert [each.call_id for each in found.context["cl"].result_list] == ["c1"]


def test_the_cause_of_a_bill_on_hold_is_corrected(
    answered: PhoneNumber, account: Account, client: Client, settings: Any
) -> None:
    """Its page lists its largest calls, with Void. After the bill is rejected, the next run bills the other calls."""
    settings.BILL_HOLD_USAGE_ABOVE = Decimal(1)
    imported([row("c1", seconds=540_000), row("c2")], live=False)
    run_bills(MARCH, now=APRIL_2)
    held = BillOnHold.objects.get()
    page = client.get(url("billonhold_change", held)).content.decode()
    record = CallRecord.objects.get(call_id="c1")
    void = url("callrecord_void_record", record)
    assert void in page
    assert page.index(url("callrecord_change", record)) < page.index(
        url("callrecord_change", CallRecord.objects.get(call_id="c2"))
    )
    client.post(void, {"reason": "Seconds sent as minutes"})
    client.post(url("billonhold_reject", held), {"note": "Voided the call"})
    imported([row("c1", seconds=600)])
    run_bills(MARCH, now=APRIL_2)
    assert not BillOnHold.objects.waiting().exists()
    assert Invoice.objects.get().total == Decimal("0.54")


def test_a_rejected_bill_still_shows_its_cause_and_one_that_was_corrected_is_released(
    answered: PhoneNumber, account: Account, client: Client, settings: Any
) -> None:
    settings.BILL_RUN_BY_ITSELF, settings.BILL_HOLD_USAGE_ABOVE = True, Decimal(1)
    imported([row("c1", seconds=540_000)], live=False)
    run_bills(MARCH, now=APRIL_2)
    held = BillOnHold.objects.get()
    void = url("callrecord_void_record", CallRecord.objects.get())
    assert "Then release the bill" in client.get(url("billonhold_change", held)).content.decode()
    client.post(url("billonhold_reject", held), {"note": "Seconds sent as minutes"})
    page = client.get(url("billonhold_change", held)).content.decode()
    assert void in page
    assert "billed again automatically then" in page
    client.post(void, {"reason": "Seconds sent as minutes"})
    imported([row("c1", seconds=600)])
    run_bills_automatically(now=datetime(2026, 4, 4, 12, tzinfo=UTC))
    assert Invoice.objects.get().total == Decimal("0.45")
    assert void not in client.get(url("billonhold_change", held)).content.decode()


def test_late_calls_that_put_a_bill_on_hold_are_among_its_largest(
    answered: PhoneNumber, account: Account, client: Client, settings: Any
) -> None:
    imported([row("c1")])
    run_bills(MARCH, now=APRIL_2)
    settings.BILL_HOLD_TOTAL_ABOVE = Decimal(1)
    imported([row("late", seconds=540_000)], live=False)
    run_bills(date(2026, 4, 1), now=MAY_2)
    page = client.get(url("billonhold_change", BillOnHold.objects.get())).content.decode()
    assert url("callrecord_void_record", CallRecord.objects.get(call_id="late")) in page


def test_a_bill_below_zero_waits_and_is_a_credit_once_released(
    answered: PhoneNumber, account: Account, biller: User, client: Client, owner: User
) -> None:
    imported([row("c1", seconds=5_400)])
    run_bills(MARCH, now=APRIL_2)
    void_record(CallRecord.objects.get(), by=biller, reason="Wrong")
    run_bills(date(2026, 4, 1), now=MAY_2)
    held = BillOnHold.objects.get()
    assert (held.total, Invoice.objects.count()) == (Decimal("-4.05"), 1)
    credit = release_bill(account, held, by=biller)
    assert credit is not None
    assert (credit.total, credit.is_credit) == (Decimal("-4.05"), True)
    invoice, document = map(invoice_paper, Invoice.objects.order_by("pk"))
    assert (document.heading, invoice.heading) == ("Credit", "Invoice")
    assert next(note.text for note in document.notes) == "This is a credit, so there is nothing to pay."
    customer = Client()
    customer.force_login(owner)
    shown = customer.get(reverse("invoice", args=[account.number, credit.number])).content.decode()
    assert "Credit INV-000002" in shown
    assert "there is nothing to pay" in shown
