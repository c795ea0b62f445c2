"""The worked bills of `tests/cases`: each account's life is lived through the actions, then its ledger is billed."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.actions import AlreadyDone
from accounts.models import Account, NumberAssignment, PhoneNumber, User
from billing.charges import Line, standing
from billing.settlement import to_invoice
from onboarding.actions import activate
from onboarding.models import Onboarding
from subscriptions.actions import assign_number, change_subscription, install, unassign_number
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.models import Item, Price
from subscriptions.rules import Subscription
from tests.billing.conftest import held_rows
from tests.conftest import CASES

PATHS = sorted(CASES.glob("[0-9]*.json"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_case(path: Path, catalogue: None, make_account: Callable[..., Account], owner: User, member: User) -> None:
    case = json.loads(path.read_text())
    life = Life(case, make_account("100001", owner=owner, timezone=case["timezone"]), owner, member)
    life.live()
    assert life.refused == case["expected"]["refused"]
    assert life.invoices == case["expected"]["invoices"]


def test_there_are_cases() -> None:
    assert len(PATHS) >= 13


class Life:
    """One account's life: every event of the case at its moment, in order; what was refused and invoiced."""

    def __init__(self, case: dict[str, Any], account: Account, owner: User, member: User) -> None:
        self.case, self.account, self.owner, self.member = case, account, owner, member
        self.refused: list[dict[str, Any]] = []
        self.invoices: dict[str, Any] = {}
        self.invoiced: list[Line] = []

    def live(self) -> None:
        for change in self.case.get("price_changes", []):
            self.change_price(change)
        begin = datetime.fromisoformat(self.case["installed"]["at"])
        install(self.account, edition=self.case["installed"]["product"], by=self.owner, now=begin)
        # Of one instant, activation comes before purchases (README), and both before numbers and bills.
        events: list[tuple[datetime, int, Callable[[], None]]] = []
        if self.case["activated_at"]:
            at = datetime.fromisoformat(self.case["activated_at"])
            events.append((at, 0, lambda: self.activate(at)))
        for purchase in self.case["purchases"]:
            events.append((datetime.fromisoformat(purchase["at"]), 1, lambda p=purchase: self.buy(p)))
        for run in self.case["bill_runs"]:
            events.append((datetime.fromisoformat(run["at"]), 3, lambda r=run: self.bill(r)))
        events += [(at, 2, act) for at, act in self.number_events(begin)]
        for _, _, act in sorted(events, key=lambda event: event[:2]):
            act()

    def change_price(self, change: dict[str, Any]) -> None:
        item = Item.objects.get(sku=change["sku"])
        latest = item.prices.filter(effective_from__lt=change["from"]).latest("effective_from")
        Price.objects.create(
            item=item,
            effective_from=date.fromisoformat(change["from"]),
            monthly_price=Decimal(change.get("monthly_price", latest.monthly_price)),
            per_minute=Decimal(change["per_minute"]) if "per_minute" in change else latest.per_minute,
        )

    def activate(self, at: datetime) -> None:
        activate(self.account, by=self.member, reason="Ready", now=at)

    def buy(self, purchase: dict[str, Any]) -> None:
        held = held_by(contact_center_of(self.account))
        at = datetime.fromisoformat(purchase["at"])
        try:
            change_subscription(self.account, wanted(held, purchase), by=self.owner, now=at)
        except AlreadyDone:
            raise
        except ValidationError:
            self.refused.append(purchase)

    def number_events(self, begin: datetime) -> list[tuple[datetime, Callable[[], None]]]:
        events: list[tuple[datetime, Callable[[], None]]] = []
        called = {call["to"]: [{"from": begin.isoformat()}] for call in self.case["calls"]}
        for number, periods in self.case.get("numbers", called).items():
            phone = PhoneNumber.objects.create(account=self.account, number=number)
            for period in periods:
                for key, act in (("from", assign_number), ("to", unassign_number)):
                    if key in period:
                        at = datetime.fromisoformat(period[key])
                        events.append((at, lambda a=act, p=phone, at=at: a(self.account, p, by=self.owner, now=at)))
        return events

    def minutes(self, at: datetime) -> dict[date, int]:
        """Minutes by local day of the calls received until `at`."""
        minutes: dict[date, int] = defaultdict(int)
        received = [
            call
            for call in self.case["calls"]
            if datetime.fromisoformat(call.get("received_at", call["started_at"])) <= at
        ]
        for call in {call["id"]: call for call in received}.values():
            started = datetime.fromisoformat(call["started_at"])
            assignments = NumberAssignment.objects.at(started).filter(account=self.account)
            if assignments.filter(number__number=call["to"], number__kind=PhoneNumber.Kind.TOLL_FREE).exists():
                minutes[self.account.day_of(started)] += -(-call["seconds"] // 60)
        return minutes

    def bill(self, run: dict[str, Any]) -> None:
        month = date.fromisoformat(run["month"] + "-01")
        at = datetime.fromisoformat(run["at"])
        assert self.account.day_of(at) >= (month + timedelta(days=31)).replace(day=1), "billed before its end"
        months = [date.fromisoformat(each + "-01") for each in [*self.invoices, run["month"]]]
        held, minutes = held_rows(self.account), self.minutes(at)
        activated_on = Onboarding.objects.get(account=self.account).activated_on
        stand = {each: standing(each, held, minutes, activated_on) for each in months}
        lines = to_invoice(month, stand, self.invoiced)
        self.invoiced += lines
        assert to_invoice(month, stand, self.invoiced) == [], "a second run finds nothing left to bill"
        total = sum((line.amount for line in lines), Decimal(0))
        expected = self.case["expected"]["invoices"][run["month"]]
        order = [comparable(line) for line in expected["lines"]] if expected else []
        told = [comparable(as_told(line)) for line in lines]
        told.sort(key=lambda line: order.index(line) if line in order else len(order))
        self.invoices[run["month"]] = {"lines": [dict(line) for line in told], "total": str(total)} if lines else None


def comparable(line: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(line.items()))


def wanted(held: Subscription, purchase: dict[str, Any]) -> Subscription:
    """Return what a purchase of a case asks for, on top of what is held."""
    if "seats" in purchase:
        return replace(held, seats=purchase["seats"])
    if "storage" in purchase:
        return replace(held, storage=purchase["storage"])
    if "toll_free" in purchase:
        return replace(held, package=purchase["toll_free"])
    field = "channels" if purchase["sku"].startswith("channel-") else "addons"
    skus = getattr(held, field)
    return replace(held, **{field: skus | {purchase["sku"]} if purchase["on"] else skus - {purchase["sku"]}})


def as_told(line: Line) -> dict[str, Any]:
    """Return a line in the terms of the cases."""
    told: dict[str, Any] = {
        "kind": line.kind,
        "sku": line.sku,
        "month": f"{line.month:%Y-%m}",
        "from": line.first.isoformat(),
        "to": line.last.isoformat(),
        "quantity": line.quantity,
        "unit_price": str(line.unit_price),
        "amount": str(line.amount),
    }
    if line.kind != "recurring":
        told |= {"minutes": line.minutes, "included": line.included}
    return told
