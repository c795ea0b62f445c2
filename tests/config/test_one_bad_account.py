"""One account that can't be computed breaks no page, list or batch (I28), and its own pages work too."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from billing.actions import run_bills
from billing.models import BilledMonth, CallRecord, FailedBill
from core.clock import database_now
from core.outbox.delivery import send_due
from onboarding.actions import activate_many, schedule_activation
from onboarding.models import Onboarding
from subscriptions.models import Holding, Item, ItemKind, SubscriptionChange
from tests.accounts.zones import in_zone
from tests.billing.bills import IN_APRIL, MARCH, customer, number_of
from tests.billing.call_rows import imported, row
from tests.guarding import settle, sql
from tests.remembering import remembered


def in_an_unknown_zone(account: Account) -> None:
    """Put the account in a time zone that neither Python nor PostgreSQL knows anymore."""
    in_zone(account, "Mars/Olympus")


def holds_what_has_no_price(account: Account) -> None:
    """Make the account hold an item that never had a price."""
    item, _ = Item.objects.get_or_create(sku="channel-lost", name="Lost", kind=ItemKind.CHANNEL)
    change = SubscriptionChange.objects.filter(account=account).latest("version")
    Holding.objects.create(
        account=account,
        item=item,
        slot=item.pk,
        quantity=1,
        period=DateRange(change.day, None),
        change=change,
    )


def without_its_ledger(account: Account) -> None:
    """Remove the account's Contact Center and ledger, as if a restore had lost rows."""
    settle()
    sql("SET session_replication_role = replica")
    sql("DELETE FROM subscriptions_holding WHERE account_id = %s", account.pk)
    sql("DELETE FROM subscriptions_contactcenter WHERE account_id = %s", account.pk)
    sql("SET session_replication_role = origin")


POISONS = [in_an_unknown_zone, holds_what_has_no_price, without_its_ledger]
Poison = Callable[[Account], None]


@pytest.fixture(params=POISONS, ids=lambda poison: poison.__name__)
def poison(request: pytest.FixtureRequest) -> Poison:
    return request.param


@pytest.fixture
@remembered
def accounts(make_account: Callable[..., Account], owner: User, member: User, catalogue: None) -> list[Account]:
    """Three active accounts and three in onboarding, each with a number; the middle one of each will be poisoned."""
    made = [make_account(f"20000{place}", owner=owner) for place in range(6)]
    for place, account in enumerate(made):
        customer(account, by=owner, team=member if place < 3 else None)
        number_of(account, f"+1800555010{place}", by=owner)
    return made


@pytest.fixture
def bad(accounts: list[Account], poison: Poison) -> list[Account]:
    """The poisoned accounts, one active and one in onboarding."""
    chosen = [accounts[1], accounts[4]]
    for account in chosen:
        poison(account)
    return chosen


@pytest.fixture
def ada(make_user: Callable[..., User], client: Client) -> Client:
    client.force_login(make_user("ada@example.com", is_staff=True, is_superuser=True))
    return client


def command(name: str, *arguments: str, **options: Any) -> str:
    """Return the output of a command, including its error if it fails."""
    out = io.StringIO()
    try:
        call_command(name, *arguments, stdout=out, stderr=out, **options)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def test_the_back_office_answers(accounts: list[Account], bad: list[Account], ada: Client) -> None:
    worklist = reverse("admin:onboarding_onboarding_changelist")
    lists = [
        reverse("admin:index"),
        *(worklist + query for query in ("", "?o=1", "?o=-3", "?o=-4", "?o=7", "?o=8", "?o=-9", "?o=10", "?q=20000")),
        *(
            worklist + query
            for query in ("?mode=active", "?deadline=overdue", "?age=0-14", "?ready=yes", "?wanted=asked")
        ),
        reverse("admin:accounts_account_changelist"),
        reverse("admin:billing_billrun_changelist"),
        reverse("admin:subscriptions_contactcenter_changelist"),
        reverse("admin:billing_callrecord_changelist"),
    ]
    for address in lists:
        assert ada.get(address, follow=True).status_code == 200, address
    for account in bad:
        mode = Onboarding.objects.get(account=account)
        for address in (
            reverse("admin:accounts_account_change", args=[account.pk]),
            reverse("admin:onboarding_onboarding_change", args=[mode.pk]),
            reverse("admin:accounts_account_activate_account", args=[account.pk]),
            reverse("admin:accounts_account_correct_timezone", args=[account.pk]),
            reverse("admin:accounts_account_history", args=[account.pk]),
        ):
            assert ada.get(address, follow=True).status_code == 200, address


def test_the_csv_of_the_worklist_has_all_accounts(accounts: list[Account], bad: list[Account], ada: Client) -> None:
    exported = ada.get(reverse("admin:onboarding_csv"), follow=True)
    assert exported.status_code == 200
    text = b"".join(exported.streaming_content) if exported.streaming else exported.content
    numbers = {cells[0] for cells in list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))[1:] if cells}
    assert {account.number for account in accounts[3:]} <= numbers


def test_the_pages_of_the_account_itself_answer(bad: list[Account], owner: User, client: Client) -> None:
    client.force_login(owner)
    for account in bad:
        start = f"/accounts/{account.number}/"
        for path in ("", "contact-center/", "contact-center/subscription/", "contact-center/users/",
                     "contact-center/phone-numbers/", "contact-center/go-live/", "billing/", "billing/invoices/",
                     "billing/usage/", "billing/usage/csv/", "audit-log/", "audit-log/csv/"):  # fmt: skip
            answer = client.get(start + path, follow=True)
            assert answer.status_code == 200, path
    assert client.get("/").status_code == 200


def test_an_import_takes_the_calls_of_the_others(accounts: list[Account], bad: list[Account]) -> None:
    received = imported([row(f"c{place}", to=f"+1800555010{place}") for place in range(6)])
    assert (received.added, received.rejected) == (6, 0)
    matched = set(CallRecord.objects.exclude(account=None).values_list("account_id", flat=True))
    assert {account.pk for account in accounts} - {account.pk for account in bad} <= matched
    command("match_calls")


def test_a_bill_run_bills_the_others_and_says_why_not_this_one(
    accounts: list[Account], bad: list[Account], poison: Poison
) -> None:
    imported([row(f"c{place}", to=f"+1800555010{place}") for place in range(6)])
    summary = run_bills(MARCH, now=IN_APRIL)
    billed = set(BilledMonth.objects.filter(month=MARCH).values_list("account_id", flat=True))
    assert {account.pk for account in accounts} - {account.pk for account in bad} <= billed
    assert bad[0].pk in summary.failed
    reason = FailedBill.objects.get(account=bad[0]).reason
    words = {in_an_unknown_zone: "Mars/Olympus", holds_what_has_no_price: "no price", without_its_ledger: "package"}
    assert words[poison] in reason
    assert bad[0].number in command("check_billing", "--month=2026-03")


def test_the_schedule_activates_and_announces_the_others(
    accounts: list[Account], bad: list[Account], member: User, settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = 60
    good = accounts[3]
    schedule_activation(good, on=good.day_of(database_now()), reason="As agreed", by=member)
    settle()
    command("run_schedule", dry_run=True)
    command("run_schedule")
    assert Onboarding.objects.get(account=good).is_active
    assert Onboarding.objects.get(account=accounts[5]).announced_for is not None


def test_a_batch_activates_the_others(
    accounts: list[Account], bad: list[Account], member: User, poison: Poison
) -> None:
    keys = [account.pk for account in accounts[3:]]
    (outcome,) = activate_many(keys, by=member, reason="Ready")
    assert {accounts[3].pk, accounts[5].pk} <= set(outcome.activated)
    if poison is in_an_unknown_zone:
        assert "Mars/Olympus" in outcome.refused[bad[1].pk]
        assert not Onboarding.objects.get(account=bad[1]).is_active


def test_plans_for_many_are_made_for_the_others(accounts: list[Account], bad: list[Account], member: User) -> None:
    command("activate_accounts", older_than=1, by=member.email, reason="Ready", dry_run=True)
    for account in (accounts[3], accounts[5]):
        schedule_activation(account, on=account.day_of(database_now()) + timedelta(days=9), reason="Later", by=member)


def test_notices_are_sent_to_the_others(
    accounts: list[Account], bad: list[Account], mailoutbox: list[Any], transactional_db: None
) -> None:
    done = send_due()
    assert done.failed == 0
    assert len(mailoutbox) >= 4


def test_what_prometheus_reads_is_answered(bad: list[Account], client: Client, settings: Any) -> None:
    assert client.get("/readyz").status_code in (200, 503)
    assert client.get("/readyz").json()["checks"]["guards"] == "ok"
