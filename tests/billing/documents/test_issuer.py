"""The issuer: what documents say about the provider, from a day on (R38)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from billing.actions import issue_credit_note, release_bill, run_bills, run_bills_automatically, save_issuer
from billing.checks import check_issuer
from billing.models import BilledMonth, BillOnHold, BillRun, CreditNote, Invoice, Issuer
from tests.billing.bills import IN_APRIL, MARCH, bill, customer, held_back, march, nowhere
from tests.billing.documents.parties import issuer
from tests.conftest import codes
from tests.guarding import sql

pytestmark = pytest.mark.usefixtures("answered")  # a number that is called
LIST = reverse("admin:billing_issuer_changelist")
ADD = reverse("admin:billing_issuer_add")
NEXT_YEAR = date(2027, 1, 1)


@pytest.fixture
def no_issuer(db: None) -> None:
    """No issuer, as right after the upgrade."""
    sql("SET LOCAL session_replication_role = replica")
    sql("DELETE FROM billing_issuer")
    sql("SET LOCAL session_replication_role = origin")


def test_the_latest_issuer_of_a_day_is_in_force(biller: User) -> None:
    first = Issuer.objects.get()
    later = save_issuer(issuer(effective_from=NEXT_YEAR), by=biller)
    corrected = save_issuer(issuer(effective_from=NEXT_YEAR, legal_name="Corrected"), by=biller)
    assert later.added_by == biller
    in_force = Issuer.objects.in_force
    assert [in_force(NEXT_YEAR - timedelta(days=1)), in_force(NEXT_YEAR)] == [first, corrected]
    assert in_force(date(1999, 1, 1)) is None


def test_an_issuer_does_not_start_in_the_past(biller: User) -> None:
    now = datetime(2026, 11, 27, 13, tzinfo=UTC)  # Nov 27 everywhere but on some islands
    for day, expected in ((date(2026, 11, 26), {("effective_from", "issuer_in_the_past")}), (date(2026, 11, 27), None)):
        if expected is None:
            save_issuer(issuer(effective_from=day), by=biller, now=now)
            continue
        with pytest.raises(ValidationError) as refusal:
            save_issuer(issuer(effective_from=day), by=biller, now=now)
        assert codes(refusal.value) == expected
    assert Issuer.objects.count() == 2


def test_the_first_issuer_may_start_in_the_past(no_issuer: None, biller: User) -> None:
    save_issuer(issuer(effective_from=date(2020, 1, 1)), by=biller)
    assert Issuer.objects.count() == 1


@pytest.mark.parametrize("who", ["member", "supporter", "owner"])
def test_only_the_billing_team_adds_an_issuer(who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(PermissionDenied):
        save_issuer(issuer(effective_from=NEXT_YEAR), by=request.getfixturevalue(who))
    assert Issuer.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legal_name", ""),
        ("legal_name", "A\x07B"),
        ("street", ""),
        ("city", ""),
        ("country", ""),
        ("country", "XX"),
        ("email", "nobody"),
        ("terms_days", -1),
        ("terms_days", 366),
        ("payment_instructions", "x" * 2001),
    ],
)
def test_an_issuer_that_is_not_valid_is_refused_at_the_field(biller: User, field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        save_issuer(issuer(effective_from=NEXT_YEAR, **{field: value}), by=biller)
    assert {name for name, _ in codes(refusal.value)} == {field}
    assert Issuer.objects.count() == 1


def test_the_form_starts_with_the_latest_and_adds_a_row(biller: User, client: Client) -> None:
    client.force_login(biller)
    page = client.get(ADD)
    assert "Example Telecom, Inc." in page.content.decode()
    form = page.context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    answer = client.post(ADD, {**values, "legal_name": "New Name, Inc."}, follow=True)
    assert answer.status_code == 200
    assert list(Issuer.objects.values_list("legal_name", flat=True)) == ["New Name, Inc.", "Example Telecom, Inc."]
    listed = client.get(LIST).content.decode()
    assert "New Name, Inc." in listed
    answer = client.post(ADD, {**values, "effective_from": "2001-01-01"})
    assert Issuer.objects.count() == 2
    assert "Issued documents keep their issuer." in answer.content.decode()


def test_a_date_of_the_past_is_refused_at_its_field_and_the_rest_stays(biller: User, client: Client) -> None:
    client.force_login(biller)
    typed = {**client.get(ADD).context["adminform"].form.initial, "effective_from": "2020-01-01", "city": "Typed"}
    answer = client.post(ADD, {name: value for name, value in typed.items() if value is not None})
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    assert "or a later date" in str(form.errors["effective_from"])
    assert form["city"].value() == "Typed"


def test_an_issuer_is_only_read_once_it_is_saved(root: User, client: Client) -> None:
    client.force_login(root)
    change = reverse("admin:billing_issuer_change", args=[Issuer.objects.get().pk])
    page = client.get(change).content.decode()
    assert 'name="_save"' not in page
    assert client.post(change, {"legal_name": "Other"}).status_code == 403
    delete = reverse("admin:billing_issuer_delete", args=[Issuer.objects.get().pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert Issuer.objects.get().legal_name == "Example Telecom, Inc."


def test_staff_who_may_not_add_one_see_them(supporter: User, client: Client) -> None:
    client.force_login(supporter)
    assert "Example Telecom, Inc." in client.get(LIST).content.decode()
    assert client.get(ADD).status_code == 403


SENTENCE = "under Billing › Issuers"


def test_without_an_issuer_nothing_is_billed(charged: Account, owner: User, no_issuer: None) -> None:
    march(charged, owner)
    with pytest.raises(ValidationError, match=SENTENCE):
        bill()
    assert not BillRun.objects.exists()
    assert not BilledMonth.objects.exists()


def test_the_command_says_where_to_enter_an_issuer(charged: Account, owner: User, no_issuer: None) -> None:
    march(charged, owner)
    with pytest.raises(CommandError, match=SENTENCE):
        call_command("bill_run", stdout=StringIO())
    assert not Invoice.objects.exists()


def test_an_automatic_run_says_so_too(charged: Account, owner: User, no_issuer: None, settings: Any) -> None:
    settings.BILL_RUN_BY_ITSELF = True
    march(charged, owner)
    with pytest.raises(ValidationError, match=SENTENCE):
        run_bills_automatically(now=IN_APRIL)
    assert not BillRun.objects.exists()


def test_where_it_is_a_day_before_the_issuer_starts_the_account_fails_and_the_others_are_billed(
    charged: Account,
    make_account: Callable[..., Account],
    owner: User,
    member: User,
    biller: User,
    request: pytest.FixtureRequest,
) -> None:
    """On April 2 at 10:30 UTC it is still April 1 in Pago Pago."""
    west = make_account("100200", owner=owner, timezone="Pacific/Pago_Pago")
    customer(west, by=owner, team=member)
    request.getfixturevalue("no_issuer")
    save_issuer(issuer(effective_from=date(2026, 4, 2)), by=biller)
    summary = run_bills(MARCH, now=datetime(2026, 4, 2, 10, 30, tzinfo=UTC))
    assert summary.failed.keys() == {west.pk}
    assert SENTENCE in summary.failed[west.pk]
    assert set(Invoice.objects.values_list("account_id", flat=True)) == {charged.pk}
    summary = run_bills(MARCH, now=datetime(2026, 4, 3, 10, 30, tzinfo=UTC))
    assert (summary.invoices, summary.failed) == (1, {})


def test_a_held_bill_is_not_released_without_an_issuer(
    charged: Account, owner: User, biller: User, settings: Any, request: pytest.FixtureRequest
) -> None:
    held = held_back(charged, owner, settings)
    request.getfixturevalue("no_issuer")
    with pytest.raises(ValidationError, match=SENTENCE):
        release_bill(charged, held, by=biller)
    assert BillOnHold.objects.get().state == BillOnHold.State.HELD


def test_no_credit_note_is_issued_without_an_issuer(
    charged: Account, biller: User, request: pytest.FixtureRequest
) -> None:
    bill()
    request.getfixturevalue("no_issuer")
    with pytest.raises(ValidationError, match=SENTENCE) as refusal:
        issue_credit_note(charged, Invoice.objects.get(), amount=Decimal(1), reason="Sorry", by=biller)
    assert codes(refusal.value) == {("__all__", "no_issuer")}
    assert not CreditNote.objects.exists()


def test_no_credit_note_is_issued_in_a_zone_that_nobody_knows(charged: Account, biller: User) -> None:
    bill()
    nowhere(charged)
    with pytest.raises(ValidationError) as refusal:
        issue_credit_note(charged, Invoice.objects.get(), amount=Decimal(1), reason="Sorry", by=biller)
    assert codes(refusal.value) == {("__all__", "unknown_timezone")}
    assert not CreditNote.objects.exists()


def test_the_check_warns_as_long_as_there_is_no_issuer(no_issuer: None, biller: User) -> None:
    [warning] = check_issuer(databases=["default"])
    assert (warning.id, warning.level) == ("billing.W004", 30)
    assert SENTENCE in str(warning.hint)
    save_issuer(issuer(effective_from=date(2020, 1, 1)), by=biller)
    assert check_issuer(databases=["default"]) == []
