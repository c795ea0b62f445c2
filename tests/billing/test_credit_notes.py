"""Credit notes: never above the invoice, once for each page shown, numbered without gaps, and refused with reasons."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Account, AccountQuerySet, PhoneNumber, Refusal, User
from billing.actions import issue_credit_note
from billing.models import CreditNote, Invoice
from tests.billing.bills import TOTAL, invoiced
from tests.conftest import codes
from tests.guarding import sql
from tests.racing import at_once


@pytest.fixture
def invoice(active: Account, answered: PhoneNumber, owner: User) -> Invoice:
    return invoiced(active, owner)


def give_back(invoice: Invoice, amount: str, by: User, **options: Any) -> CreditNote:
    values = {"amount": Decimal(amount), "reason": "Line was down", "by": by, **options}
    return issue_credit_note(invoice.account, invoice, **values)


def given() -> list[tuple[int, Decimal]]:
    return list(CreditNote.objects.order_by("number").values_list("number", "amount"))


def test_money_is_given_back_until_nothing_is_left(invoice: Invoice, biller: User) -> None:
    note = give_back(invoice, "76.75", biller, reason="  Line was down ")
    assert (note.title, note.invoice, note.by, note.reason) == ("CN-000001", invoice, biller, "Line was down")
    assert (invoice.total, invoice.creditable) == (TOTAL, Decimal("0.01"))
    with pytest.raises(ValidationError, match=r"At most \$0\.01 can be given back on INV-000001\."):
        give_back(invoice, "0.02", biller)
    give_back(invoice, "0.01", biller)
    with pytest.raises(ValidationError, match="Nothing is left of INV-000001 to give back"):
        give_back(invoice, "0.01", biller)
    assert given() == [(1, Decimal("76.75")), (2, Decimal("0.01"))]


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "credit_not_positive"), ("-5", "credit_not_positive"), ("-1e30", "credit_not_positive"),
        ("NaN", "credit_not_positive"), ("Infinity", "credit_not_positive"), ("76.77", "credit_too_large"),
        ("1e40", "credit_too_large"), ("99999999999999999999.999", "credit_too_large"),
        ("0.001", "credit_parts_of_a_cent"), ("12.345", "credit_parts_of_a_cent"),
    ],
)  # fmt: skip
def test_impossible_amounts_are_refused_in_words(invoice: Invoice, biller: User, amount: str, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        give_back(invoice, amount, biller)
    assert codes(refusal.value) == {("amount", code)}
    assert all(words.endswith(".") for words in refusal.value.messages)
    assert given() == []
    refused = Refusal.objects.get()
    assert (refused.rule, refused.action, refused.by) == (code, "issue_credit_note", biller)


def test_every_reason_is_told_at_once(invoice: Invoice, biller: User) -> None:
    with pytest.raises(ValidationError) as refusal:
        give_back(invoice, "-1", biller, reason="  ")
    assert codes(refusal.value) == {("amount", "credit_not_positive"), ("reason", "reason_missing")}


def test_numbers_have_no_gaps_whatever_is_refused(invoice: Invoice, biller: User) -> None:
    give_back(invoice, "1", biller)
    for amount in ("77", "-1", "0.001"):
        with pytest.raises(ValidationError):
            give_back(invoice, amount, biller)
    give_back(invoice, "2", biller)
    assert [number for number, _ in given()] == [1, 2]


def test_only_the_billing_team_gives_money_back(
    invoice: Invoice, biller: User, supporter: User, member: User, owner: User
) -> None:
    User.objects.filter(pk=biller.pk).update(is_active=False)
    for by in (biller, supporter, member, owner):
        with pytest.raises(PermissionDenied):
            give_back(invoice, "1", by)
    assert given() == []
    assert set(Refusal.objects.values_list("rule", flat=True)) == {"permission_denied"}


def test_an_invoice_of_another_account_is_a_mistake_of_the_caller(
    invoice: Invoice, biller: User, make_account: Callable[..., Account]
) -> None:
    with pytest.raises(AssertionError):
        issue_credit_note(make_account("100002"), invoice, amount=Decimal(1), reason="x", by=biller)
    assert given() == []


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_give_back_more_than_was_invoiced(invoice: Invoice, biller: User) -> None:
    outcomes = at_once(10, lambda _: give_back(invoice, "30", biller))
    assert [type(one) for one in outcomes].count(CreditNote) == 2
    refused = [codes(one) for one in outcomes if isinstance(one, ValidationError)]
    assert refused == [{("amount", "credit_too_large")}] * 8
    assert given() == [(1, Decimal(30)), (2, Decimal(30))]


@pytest.mark.django_db(transaction=True)
def test_control_without_the_account_lock_only_the_guard_stops_them(
    invoice: Invoice, biller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountQuerySet, "locked", lambda accounts: accounts.order_by("pk"))
    guarded = False
    for _ in range(5):
        outcomes = at_once(10, lambda _: give_back(invoice, "15", biller))
        refused = [codes(one) for one in outcomes if isinstance(one, ValidationError)]
        guarded = guarded or {("__all__", "credit_is_within_the_invoice")} in refused
    assert guarded
    assert invoice.creditable == Decimal("1.76")
    assert [number for number, _ in given()] == [1, 2, 3, 4, 5]


@pytest.mark.django_db(transaction=True)
@pytest.mark.owner
def test_control_without_the_guard_either_more_is_given_back_than_was_invoiced(
    invoice: Invoice, biller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountQuerySet, "locked", lambda accounts: accounts.order_by("pk"))
    sql("ALTER TABLE billing_creditnote DISABLE TRIGGER credit_is_within_the_invoice")
    try:
        at_once(10, lambda _: give_back(invoice, "70", biller))
        assert invoice.creditable < 0
    finally:
        sql("ALTER TABLE billing_creditnote ENABLE TRIGGER credit_is_within_the_invoice")


@pytest.fixture
def as_biller(biller: User, client: Client) -> Client:
    client.force_login(biller)
    return client


def page(invoice: Invoice) -> str:
    return reverse("admin:billing_invoice_give_money_back", args=[invoice.pk])


def sent(**fields: str) -> dict[str, str]:
    return {"amount": "6.76", "reason": "Line was down", "creditable": "76.76", **fields}


def test_the_page_gives_back_once_however_often_it_is_sent(invoice: Invoice, biller: User, as_biller: Client) -> None:
    text = as_biller.get(page(invoice)).content.decode()
    assert "comes to $76.76" in " ".join(text.split())
    assert given() == []
    done = as_biller.post(page(invoice), sent(), follow=True)
    text = " ".join(done.content.decode().split())
    assert "CN-000001 gives $6.76 back on INV-000001." in text
    assert "Line was down" in text
    assert "$70.00" in text  # not credited yet
    again = as_biller.post(page(invoice), sent())
    assert again.status_code == 200
    assert "Money was given back on this invoice meanwhile" in again.content.decode()
    assert again.context["form"]["creditable"].value() == "70.00"
    assert [(note.number, note.by) for note in CreditNote.objects.all()] == [(1, biller)]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": ""}, "amount"), ({"amount": "x"}, "amount"), ({"amount": "NaN"}, "amount"),
        ({"amount": "1e999999"}, "amount"), ({"amount": "-1"}, "amount"), ({"amount": "0.001"}, "amount"),
        ({"amount": "76.77"}, "amount"), ({"amount": "\0"}, "amount"), ({"reason": ""}, "reason"),
        ({"reason": " "}, "reason"), ({"reason": "a\0b"}, "reason"), ({"reason": "x" * 2_001}, "reason"),
        ({"creditable": "x"}, "creditable"), ({"creditable": ""}, "creditable"),
        ({"creditable": "1e999"}, "creditable"), ({"creditable": "1"}, "__all__"),
    ],
)  # fmt: skip
def test_refusals_stand_at_their_fields(
    invoice: Invoice, as_biller: Client, fields: dict[str, str], field: str
) -> None:
    answer = as_biller.post(page(invoice), sent(**fields))
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {field}
    assert given() == []


def test_the_page_is_the_billing_teams_only(invoice: Invoice, supporter: User, member: User, owner: User) -> None:
    for user in (supporter, member, owner):
        client = Client()
        client.force_login(user)
        status = 302 if user == owner else 403
        assert client.get(page(invoice)).status_code == status
        assert client.post(page(invoice), sent()).status_code == status
    assert Client().post(page(invoice), sent()).status_code == 302
    assert given() == []


def test_credit_notes_are_found_and_only_read(
    invoice: Invoice, biller: User, as_biller: Client, make_user: Callable[..., User]
) -> None:
    note = give_back(invoice, "5", biller)
    found = reverse("admin:billing_creditnote_changelist")
    for term, count in [("CN-000001", 1), ("INV-000001", 1), ("100001", 1), ("acme", 1), ("2", 0), ("nobody", 0)]:
        assert len(as_biller.get(found, {"q": term}).context["cl"].result_list) == count, term
    root = Client()
    root.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    key = reverse("admin:billing_creditnote_change", args=[note.pk])
    assert "$5.00" in root.get(key).content.decode()
    assert root.post(key, {"amount": "1"}).status_code == 403
    assert root.post(reverse("admin:billing_creditnote_delete", args=[note.pk]), {"post": "yes"}).status_code == 403
    assert root.post(reverse("admin:billing_creditnote_add"), {"amount": "1"}).status_code == 403
    assert given() == [(1, Decimal(5))]
