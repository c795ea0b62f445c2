"""Bills on hold (I20): released as they are then, or rejected and billed again; once, and only by the team."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Account, AccountQuerySet, PhoneNumber, User
from billing import deciding
from billing.actions import reject_bill, release_bill, run_bills
from billing.models import BilledMonth, BillOnHold, Invoice
from core.clock import database_now
from core.refusals import AlreadyDone
from subscriptions.models import Price
from tests.billing.bills import IN_APRIL, MARCH, TOTAL, called, held_back
from tests.conftest import codes
from tests.guarding import settle, sql
from tests.racing import at_once


@pytest.fixture
def held(active: Account, answered: PhoneNumber, owner: User, settings: Any) -> BillOnHold:
    return held_back(active, owner, settings)


@pytest.fixture
def as_biller(biller: User, client: Client) -> Client:
    client.force_login(biller)
    return client


def page(held: BillOnHold, verb: str = "change") -> str:
    return reverse(f"admin:billing_billonhold_{verb}", args=[held.pk])


def totals() -> list[tuple[int, Decimal]]:
    return list(Invoice.objects.order_by("number").values_list("number", "total"))


def decided(held: BillOnHold) -> tuple[str, User | None, str]:
    held.refresh_from_db()
    return held.state, held.decided_by, held.note


def test_a_held_bill_waits_whatever_runs(held: BillOnHold) -> None:
    assert (held.total, held.why) == (TOTAL, "Usage of $4.50, after $0.00 on the last invoice with usage.")
    run_bills(MARCH, now=IN_APRIL)
    assert totals() == []
    assert not BilledMonth.objects.exists()
    assert BillOnHold.objects.count() == 1


def test_a_release_issues_exactly_the_invoice_once(held: BillOnHold, biller: User) -> None:
    invoice = release_bill(held.account, held, by=biller, note=" Customer confirmed ")
    assert invoice
    assert [(line.sku, line.amount) for line in invoice.lines.all()] == [
        ("cc-pro", Decimal("72.26")),
        ("tf-payperuse", Decimal("4.50")),
    ]
    assert decided(held) == ("released", biller, "Customer confirmed")
    for again in (lambda: release_bill(held.account, held, by=biller), lambda: reject(held, biller)):
        with pytest.raises(AlreadyDone, match="This bill was released already"):
            again()
    run_bills(MARCH, now=IN_APRIL)
    assert totals() == [(1, TOTAL)]


def reject(held: BillOnHold, by: User, note: str = "Feed sent seconds as minutes") -> BillOnHold:
    return reject_bill(held.account, held, note=note, by=by)


@pytest.mark.owner
def test_a_release_issues_the_bill_as_it_stands_then(held: BillOnHold, biller: User) -> None:
    called("late")
    invoice = release_bill(held.account, held, by=biller)
    assert invoice
    assert invoice.total == TOTAL + Decimal("4.50")


def test_after_a_rejection_the_next_run_bills_anew(held: BillOnHold, biller: User, settings: Any) -> None:
    reject(held, biller)
    assert decided(held) == ("rejected", biller, "Feed sent seconds as minutes")
    assert totals() == []
    with pytest.raises(AlreadyDone, match="This bill was rejected already"):
        release_bill(held.account, held, by=biller)
    assert run_bills(MARCH, now=IN_APRIL).on_hold.keys() == {held.account_id}  # its cause was not corrected
    reject(BillOnHold.objects.waiting().get(), biller)
    settings.BILL_HOLD_USAGE_ABOVE = 2_000
    run_bills(MARCH, now=IN_APRIL)
    assert totals() == [(1, TOTAL)]


@pytest.mark.parametrize("note", ["", " \n"])
def test_a_rejection_needs_a_reason(held: BillOnHold, biller: User, note: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        reject(held, biller, note)
    assert codes(refusal.value) == {("note", "note_missing")}
    assert decided(held)[0] == "held"


@pytest.mark.owner
def test_a_release_that_can_not_be_priced_leaves_the_bill_held(
    held: BillOnHold, biller: User, as_biller: Client
) -> None:
    without_prices()
    with pytest.raises(ValidationError) as refusal:
        release_bill(held.account, held, by=biller)
    assert codes(refusal.value) == {("__all__", "bill_failed")}
    assert decided(held) == ("held", None, "")
    assert "has no price" in as_biller.get(page(held)).content.decode()
    answer = as_biller.post(page(held, "release"), {"note": ""})
    assert "has no price" in str(answer.context["form"].non_field_errors())
    assert totals() == []


def without_prices() -> None:
    """Delete a price, which only the database's owner can do."""
    settle()
    sql("ALTER TABLE subscriptions_price DISABLE TRIGGER price_in_effect_is_final")
    Price.objects.filter(item__sku="cc-pro").delete()


def test_only_the_billing_team_decides(held: BillOnHold, supporter: User, member: User, owner: User) -> None:
    for user in (supporter, member, owner):
        with pytest.raises(PermissionDenied):
            release_bill(held.account, held, by=user)
        with pytest.raises(PermissionDenied):
            reject(held, user)
        client = Client()
        client.force_login(user)
        status = 302 if user == owner else 403
        for verb in ("release", "reject"):
            assert client.get(page(held, verb)).status_code == status
            assert client.post(page(held, verb), {"note": "x"}).status_code == status
    client.force_login(supporter)
    text = client.get(page(held)).content.decode()
    assert "$72.26" in text
    assert page(held, "release") not in text
    assert decided(held)[0] == "held"


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_both_decide_and_the_guard_stops_one(
    held: BillOnHold, biller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Barrier(2)

    def now_together() -> datetime:
        both.wait(30)
        return database_now()

    monkeypatch.setattr(AccountQuerySet, "locked", lambda accounts: accounts.order_by("pk"))
    monkeypatch.setattr(deciding, "database_now", now_together)
    verbs: list[Callable[[], Any]] = [
        lambda: release_bill(held.account, BillOnHold.objects.get(), by=biller),
        lambda: reject_bill(held.account, BillOnHold.objects.get(), note="No", by=biller),
    ]
    outcomes = at_once(2, lambda number: verbs[number]())
    [refusal] = [one for one in outcomes if isinstance(one, ValidationError)]
    assert codes(refusal) == {("__all__", "held_bill_is_decided_once")}
    assert totals() == ([(1, TOTAL)] if decided(held)[0] == "released" else [])


@pytest.mark.django_db(transaction=True)
def test_decided_at_once_it_is_decided_once(held: BillOnHold, biller: User) -> None:
    verbs: list[Callable[[], Any]] = [
        lambda: release_bill(held.account, BillOnHold.objects.get(), by=biller),
        lambda: reject_bill(held.account, BillOnHold.objects.get(), note="No", by=biller),
    ]
    outcomes = at_once(10, lambda number: verbs[number % 2]())
    assert [type(one) for one in outcomes].count(AlreadyDone) == 9
    assert totals() == ([(1, TOTAL)] if decided(held)[0] == "released" else [])


def test_pages_show_the_bill_and_looking_decides_nothing(held: BillOnHold, as_biller: Client) -> None:
    for verb in ("change", "release", "reject"):
        text = as_biller.get(page(held, verb)).content.decode()
        assert "2 seats × $70.00 × 16 of 31 days = $72.26" in text
        assert "Usage of $4.50" in text
    assert decided(held)[0] == "held"


def test_a_bill_is_released_on_its_page_once(held: BillOnHold, as_biller: Client) -> None:
    done = as_biller.post(page(held, "release"), {"note": "Fine"}, follow=True).content.decode()
    assert "Released: INV-000001 over $76.76 was issued." in done
    assert reverse("admin:billing_invoice_change", args=[Invoice.objects.get().pk]) in done
    assert page(held, "release") not in done
    for verb in ("release", "reject"):
        for again in (as_biller.get, as_biller.post):
            answer = again(page(held, verb), {"note": "Again"}, follow=True)
            assert "This bill was released already." in answer.content.decode()
    assert totals() == [(1, TOTAL)]


def test_a_rejection_on_its_page_needs_a_note(held: BillOnHold, as_biller: Client) -> None:
    for note in ("", "  ", "\0", "x" * 2_001):
        answer = as_biller.post(page(held, "reject"), {"note": note})
        assert answer.context["form"].errors.keys() == {"note"}, note
    assert decided(held)[0] == "held"
    done = as_biller.post(page(held, "reject"), {"note": "Feed is wrong"}, follow=True).content.decode()
    assert "Rejected. Acme Support (100001) is billed for March 2026 again once something" in done
    assert "The bill as it would be" not in done
    assert decided(held)[0] == "rejected"


def test_those_that_wait_come_first_and_are_counted_beside_the_menu(
    held: BillOnHold, biller: User, as_biller: Client
) -> None:
    reject(held, biller)
    run_bills(MARCH, now=IN_APRIL)
    waiting = BillOnHold.objects.waiting().get()
    reject(waiting, biller)
    run_bills(MARCH, now=IN_APRIL)
    answer = as_biller.get(reverse("admin:billing_billonhold_changelist"))
    assert [row.state for row in answer.context["cl"].result_list] == ["held", "rejected", "rejected"]
    menu = [item for group in answer.context["sidebar_navigation"] for item in group["items"]]
    assert {item["title"]: item["badge"] for item in menu if "badge" in item} == {"Bills on hold": 1}
    assert len(as_biller.get("/admin/billing/billonhold/?q=acme&month=2026-03").context["cl"].result_list) == 3
