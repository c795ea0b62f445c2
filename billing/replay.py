"""Replays a case in the form of `tests/cases` through the app's actions: what would have been refused and invoiced?

All times are the case's own; nothing reads the clock. The caller provides a temporary database, or rolls back.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import Account, Contact, PhoneNumber, Role, User
from billing.actions import run_bills, void_record
from billing.calls.importing import import_calls
from billing.models import CallRecord, Invoice, Issuer, Layout, SetAsideCall
from billing.pricing.charges import RECURRING, Line
from core.past import writing_history
from core.refusals import AlreadyDone
from onboarding.actions import activate
from subscriptions.actions import assign_number, change_subscription, install, load_catalogue, unassign_number
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.kinds import SWITCHED
from subscriptions.models import Item, Price
from subscriptions.rules import Subscription

Case = Mapping[str, Any]
Event = tuple[datetime, int, Callable[[], Any]]
# The order of things that happen at the same instant: a purchase at the activation is one of an active account.
ACTIVATION, PURCHASE, NUMBER, CALLS, VOID, BILL = range(6)


class CaseError(Exception):
    """The case doesn't have the form that can be replayed. The message says why."""


def replay(case: Case, catalogue: Mapping[str, Any]) -> dict[str, Any]:
    """Replay the case in the database, and return `refused`, `invoices` and any `set_aside` in the form of `expected`.

    `catalogue` is the content of a catalog file, which is used unless the case has its own `catalogue`. Raises
    CaseError.
    """
    try:
        return _Replay(case, catalogue).run()
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise CaseError(f"The case is not of the expected form: {error!r}") from error


def differences(expected: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each difference between the result and what was expected. The order of lines is ignored."""
    found = []
    if expected.get("set_aside", 0) != got.get("set_aside", 0):
        found.append(f"set_aside: expected {expected.get('set_aside', 0)}, got {got.get('set_aside', 0)}")
    if expected.get("refused", []) != got["refused"]:
        found.append(f"refused: expected {expected.get('refused', [])}, got {got['refused']}")
    months = {**expected["invoices"], **got["invoices"]}
    for month in sorted(months):
        want, have = expected["invoices"].get(month), got["invoices"].get(month)
        if (want is None) != (have is None):
            found.append(f"{month}: expected {'no invoice' if want is None else 'an invoice'}, got the opposite")
        if (want or {}).get("total") != (have or {}).get("total"):
            found.append(f"{month}: expected a total of {(want or {}).get('total')}, got {(have or {}).get('total')}")
        wanted, had = (want or {}).get("lines", []), (have or {}).get("lines", [])
        found += [f"{month}: missing line {line}" for line in wanted if line not in had]
        found += [f"{month}: line too many {line}" for line in had if line not in wanted]
    return found


class _Replay:
    """The replay of one case, which is about one account."""

    def __init__(self, case: Case, catalogue: Mapping[str, Any]) -> None:
        self.case = case
        load_catalogue(case.get("catalogue", catalogue))
        # A case may be older than the provider's own issuer, and its documents are not kept.
        Issuer.objects.create(
            effective_from=date.min, legal_name="Replay", street="-", city="-", country="US", email="-@replay.invalid"
        )
        self.refused: list[Any] = []
        self.set_aside = 0  # as counted after the last bill run
        self.invoices: dict[str, Any] = {}
        self.begin = moment(case["installed"]["at"])
        self.owner = User.objects.create_user("owner@replay.invalid")
        self.team = User.objects.create_superuser("team@replay.invalid")
        self.account = Account(
            number="100001", company=str(case.get("name", "Replay")), timezone=case["timezone"], created_at=self.begin
        )
        self.account.full_clean(exclude=["created_at"])
        self.account.save()
        Contact.objects.create(account=self.account, user=self.owner, role=Role.OWNER)

    def run(self) -> dict[str, Any]:
        with writing_history():
            for change in self.case.get("price_changes", []):
                self._change_price(change)
        install(self.account, edition=self.case["installed"]["product"], by=self.owner, now=self.begin)
        for _, _, happen in sorted(self._events(), key=lambda event: event[:2]):
            happen()
        result: dict[str, Any] = {"refused": self.refused, "invoices": self.invoices}
        return {**result, "set_aside": self.set_aside} if self.set_aside else result

    def _events(self) -> Iterable[Event]:
        if self.case.get("activated_at"):
            at = moment(self.case["activated_at"])
            yield at, ACTIVATION, partial(self._activate, at)
        for purchase in self.case.get("purchases", []):
            yield moment(purchase["at"]), PURCHASE, partial(self._buy, purchase)
        yield from self._number_events()
        received: dict[datetime, list[Case]] = defaultdict(list)
        for call in self.case.get("calls", []):
            received[moment(call.get("received_at", call["started_at"]))].append(call)
        for at, calls in received.items():
            yield at, CALLS, partial(self._receive, calls, at)
        for void in self.case.get("voids", []):
            yield moment(void["at"]), VOID, partial(self._void, void)
        for run in self.case.get("bill_runs", []):
            yield moment(run["at"]), BILL, partial(self._bill, run)

    def _change_price(self, change: Case) -> None:
        item = Item.objects.get(sku=change["sku"])
        day = date.fromisoformat(change["from"])
        before = item.prices.filter(effective_from__lt=day).latest("effective_from")
        rate = change.get("per_minute", before.per_minute)
        Price.objects.create(
            item=item,
            effective_from=day,
            monthly_price=Decimal(change.get("monthly_price", before.monthly_price)),
            per_minute=None if rate is None else Decimal(rate),
        )

    def _activate(self, at: datetime) -> None:
        activate(self.account, by=self.team, reason="Replay", now=at)

    def _buy(self, purchase: Case) -> None:
        wanted = _wanted(held_by(contact_center_of(self.account)), purchase)
        try:
            change_subscription(self.account, wanted, by=self.owner, now=moment(purchase["at"]))
        except AlreadyDone:
            return
        except ValidationError:
            self.refused.append(purchase)

    def _number_events(self) -> Iterable[Event]:
        called = {call["to"]: [{"from": self.begin.isoformat()}] for call in self.case.get("calls", [])}
        for written, periods in self.case.get("numbers", called).items():
            number = PhoneNumber(account=self.account, number=written)
            number.full_clean(exclude=["kind"])
            number.save()
            for period in periods:
                for key, verb in (("from", assign_number), ("to", unassign_number)):
                    if key in period:
                        at = moment(period[key])
                        yield at, NUMBER, partial(verb, self.account, number, by=self.owner, now=at)

    def _receive(self, calls: Iterable[Case], at: datetime) -> None:
        """Import the calls as a file in our own layout, when they were received, without the limits of a live feed."""
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(["call_id", "to", "from", "started_at", "seconds", "sequence"])
        rows.writerows(
            [call["id"], call["to"], "", call["started_at"], call["seconds"], call.get("sequence", "")]
            for call in calls
        )
        stream = io.BytesIO(text.getvalue().encode())
        import_calls(
            stream,
            name="replay",
            layout=Layout.OWN,
            by=self.team,
            live=False,
            now=at,
            take_voided=True,
            within=writing_history,
        )

    def _void(self, void: Case) -> None:
        """Void the record stored under this identity, if there is one."""
        leg = str(void.get("sequence", ""))
        record = CallRecord.objects.in_effect().filter(call_id=void["id"], leg=leg).first()
        if record:
            with writing_history():
                void_record(record, by=self.team, reason="Replay", now=moment(void["at"]))

    def _bill(self, run: Case) -> None:
        month = date.fromisoformat(f"{run['month']}-01")
        run_bills(month, accounts=[self.account.pk], now=moment(run["at"]), hold_unusual=False)
        self.set_aside = SetAsideCall.objects.count()
        invoice = Invoice.objects.filter(account=self.account, month=month).first()
        self.invoices[run["month"]] = in_case_form(invoice) if invoice else None


def in_case_form(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice in the form of a case's `expected`."""
    return {
        "lines": [_line_in_case_form(line.value) for line in invoice.lines.all()],
        "total": str(invoice.total),
    }


def _line_in_case_form(line: Line) -> dict[str, Any]:
    places = 2 if line.kind == RECURRING else 4
    fields: dict[str, Any] = {
        "kind": line.kind,
        "sku": line.sku,
        "month": f"{line.month:%Y-%m}",
        "from": line.first.isoformat(),
        "to": line.last.isoformat(),
    }
    if line.kind != RECURRING:
        fields |= {"minutes": line.minutes, "included": line.included}
    return fields | {
        "quantity": line.quantity,
        "unit_price": f"{line.unit_price:.{places}f}",
        "amount": str(line.amount),
    }


def _wanted(held: Subscription, purchase: Case) -> Subscription:
    """Return the subscription that a purchase asks for, which is what is held with one change."""
    if "seats" in purchase:
        return replace(held, seats=int(purchase["seats"]))
    if "storage" in purchase:
        return replace(held, storage=purchase["storage"])
    if "toll_free" in purchase:
        return replace(held, package=purchase["toll_free"])
    sku = purchase["sku"]
    item = Item.objects.get(sku=sku)
    kind = next(each for each in SWITCHED if each.kind == item.kind)
    return held if purchase["on"] == (sku in held.switched_on) else held.toggled(kind, sku)


def moment(text: str) -> datetime:
    """Return an instant that is written with its offset. Raises ValueError without one."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return instant
