"""Fixtures for tests of the admin: a superuser, logged-in clients, and a row of every model."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Account, PhoneNumber, Refusal, ServiceUser, User
from billing.actions import issue_credit_note, save_mapping, set_billing_profile
from billing.documents.freezing import freeze_invoices, issue_at
from billing.documents.presentation import presentation_today
from billing.models import BillOnHold, BillRun, FailedBill, Invoice
from billing.pricing.charges import Line
from billing.runs.writing import Bill, write_invoices, write_lines
from core.clock import database_now
from onboarding.models import GoLiveRequest, NoticeKind
from onboarding.notices.enqueue import enqueue
from subscriptions.actions import assign_number
from tests.billing.bills import IN_APRIL, MARCH
from tests.billing.call_rows import imported, row
from tests.billing.documents.parties import profile
from tests.config.queue import queued
from tests.remembering import remembered


@pytest.fixture
def login() -> Callable[[User], Client]:
    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
@remembered
def everything(installed: Account, owner: User, root: User, toll_free: PhoneNumber) -> None:
    """A row of every model in the admin."""
    ServiceUser.objects.create(account=installed, name="Ann", email="ann@example.com")
    assign_number(installed, toll_free, by=owner)
    enqueue([installed.pk], NoticeKind.INSTALLED, occasion="1", now=IN_APRIL)
    GoLiveRequest.objects.create(account=installed, wanted_on="2026-04-01", requested_by=owner)
    Refusal.objects.create(account=installed, by=owner, action="install", rule="unknown_item", message="No.")
    save_mapping("Other", {"call_id": "1", "to": "2", "started_at": "3", "seconds": "4"}, by=None)
    now = database_now().isoformat()
    imported([row("c1", at=now), row("c2", seconds=-1), row("c3", at=now, seconds=61), row("c3", at=now, seconds=62)])
    run = BillRun.objects.create(month=MARCH, started_at=IN_APRIL)
    FailedBill.objects.create(run=run, account=installed, reason="No price.")
    BillOnHold.objects.create(account=installed, month=MARCH, total=1, why="Out of line.", held_at=IN_APRIL)
    line = Line("usage", "tf-payperuse", MARCH, MARCH, MARCH, 100, Decimal("0.045"), Decimal("4.50"), minutes=100)
    bills = write_lines([Bill(installed.pk, [line])], at_most=1)
    numbers = write_invoices(bills, bills, month=MARCH, now=IN_APRIL)
    freeze_invoices(numbers, issue_at(IN_APRIL, [installed.timezone]), presentation_today())
    set_billing_profile(installed, profile(), by=root)
    issue_credit_note(installed, Invoice.objects.get(), amount=Decimal(1), reason="Late", by=root)
    queued("core.clean_up", "failed")
