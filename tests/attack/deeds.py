"""What the processes do: each deed is one action of the product, with arguments by chance."""

import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.actions import save_number
from accounts.models import Account, PhoneNumber, User
from billing.actions import (
    correct_timezone,
    dismiss_record,
    issue_credit_note,
    reject_bill,
    release_bill,
    run_bills,
    take_record,
    void_import,
    void_record,
)
from billing.calls.importing import import_calls
from billing.models import BillOnHold, CallImport, CallRecord, Invoice, SetAsideCall
from billing.runs.run import last_ended_month
from onboarding.actions import activate, announce, assign_owner, schedule_activation
from subscriptions.actions import assign_number, change_subscription, install, set_prices, unassign_number
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.models import Item, Price

HEADER = "call_id,to,from,started_at,seconds\n"
ZONES = ["America/New_York", "America/Los_Angeles", "Pacific/Kiritimati", "Europe/Berlin"]
REASON = "By chance"


def ended_months(now: datetime) -> list[date]:
    """Return the first days of the last two months that have ended everywhere, the later month first."""
    last = last_ended_month(now)
    return [last, (last - timedelta(days=1)).replace(day=1)]


class Deeds:
    """The deeds of one process. The same seed chooses the same deeds, though others decide what becomes of them."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)
        self.now = datetime.now(UTC)
        self.staff = {name: User.objects.get(email=f"{name}@example.com") for name in ("ada", "tom", "bea")}

    def next(self) -> tuple[str, Callable[[], Any]]:
        """Return the next deed and its name."""
        weights = {
            self.buy: 8, self.calls: 8, self.install: 1, self.activate: 1, self.plan: 1, self.bill: 4, self.decide: 3,
            self.credit: 3, self.void: 3, self.void_all: 1, self.settle: 2, self.assign: 3, self.unassign: 2,
            self.move: 2, self.zone: 1, self.price: 1,
        }  # fmt: skip
        [deed] = self.chance.choices(list(weights), list(weights.values()))
        return deed.__name__, deed

    def buy(self) -> None:
        account = self._account()
        held = held_by(contact_center_of(account))
        wanted: dict[str, Any] = self.chance.choice(
            [
                {"seats": self.chance.randrange(5)},
                {"seats": self.chance.randrange(40)},
                {"storage": self.chance.choice(["storage-5", "storage-25", "storage-100"])},
                {"package": self.chance.choice(["tf-payperuse", "tf-500", "tf-2500"])},
                {"addons": frozenset(self.chance.sample(["addon-crm", "addon-speech", "addon-wfm"], 2))},
                {"channels": frozenset(self.chance.sample(["channel-voice", "channel-chat", "channel-sms"], 2))},
            ]
        )
        change_subscription(account, replace(held, **wanted), by=self._contact(account))

    def install(self) -> None:
        account = self._account()
        install(account, edition=self.chance.choice(["cc-pro", "cc-elite"]), by=self._contact(account))

    def activate(self) -> None:
        activate(self._account(), by=self.staff["tom"], reason=REASON)

    def plan(self) -> None:
        account, tom = self._account(), self.staff["tom"]
        plan = self.chance.randrange(3)
        if plan == 0:
            assign_owner(account, owner=tom, by=tom)
        elif plan == 1:
            schedule_activation(account, on=account.day_of(self.now) + timedelta(days=9), reason=REASON, by=tom)
        else:
            list(announce())

    def calls(self) -> None:
        numbers = list(PhoneNumber.objects.values_list("number", flat=True))
        rows = [self._row(str(self.chance.choice(numbers))) for _ in range(self.chance.randrange(1, 40))]
        import_calls(io.BytesIO((HEADER + "".join(rows)).encode()), name="calls.csv", by=None, live=False)

    def _row(self, number: str) -> str:
        """Return a row of a small pool of calls, so that it often comes again, and sometimes with other content."""
        call = self.chance.randrange(400)
        at = self.now - timedelta(hours=call * 4 + 1)
        return f"c{call},{number},+12125550111,{at.isoformat()},{self.chance.choice([30, 600, 3600])}\n"

    def bill(self) -> None:
        month = self._month()
        run_bills(month, hold_unusual=self.chance.random() < 0.5, workers=1, chunk=self.chance.choice([1, 2, 1000]))

    def decide(self) -> None:
        held = self._one(BillOnHold.objects.all())
        verb: Any = self.chance.choice([release_bill, reject_bill])
        verb(held.account, held, by=self.staff["bea"], note=REASON)

    def credit(self) -> None:
        invoice = self._one(Invoice.objects.all())
        amount = Decimal(self.chance.randrange(1, 9_000)) / 100
        issue_credit_note(
            invoice.account, invoice, amount=amount, reason=REASON, by=self.staff["bea"], confirm_difference=True
        )

    def void(self) -> None:
        record = self._one(CallRecord.objects.all())
        void_record(record, by=self.staff["bea"], reason=REASON, confirm_credited=True)

    def void_all(self) -> None:
        received = self._one(CallImport.objects.all())
        void_import(received, by=self.staff["bea"], reason=REASON, confirm_credited=True)

    def settle(self) -> None:
        aside = self._one(SetAsideCall.objects.all())
        if self.chance.random() < 0.5:
            take_record(aside, by=self.staff["bea"], reason=REASON, confirm_credited=True)
        else:
            dismiss_record(aside, by=self.staff["bea"], reason=REASON)

    def assign(self) -> None:
        number = self._one(PhoneNumber.objects.all())
        assign_number(number.account, number, by=self._contact(number.account))

    def unassign(self) -> None:
        number = self._one(PhoneNumber.objects.all())
        unassign_number(number.account, number, by=self._contact(number.account))

    def move(self) -> None:
        number = self._one(PhoneNumber.objects.all())
        number.account = self._account()
        save_number(number, by=self.staff["ada"])

    def zone(self) -> None:
        correct_timezone(self._account(), timezone=self.chance.choice(ZONES), reason=REASON, by=self.staff["ada"])

    def price(self) -> None:
        item = self._one(Item.objects.filter(kind="addon"))
        day = self.now.date() + timedelta(days=self.chance.randrange(20))
        set_prices(item, [Price(item=item, effective_from=day, monthly_price=7)], by=self.staff["ada"])

    def _account(self) -> Account:
        """Return an account, mostly one of two, so that the processes meet."""
        few = Account.objects.filter(number__in=["100002", "100006"])
        return self._one(few if self.chance.random() < 0.7 else Account.objects.all())

    def _contact(self, account: Account) -> User:
        return self._one(User.objects.filter(contacts__account=account))

    def _month(self) -> date:
        return self.chance.choice(ended_months(self.now))

    def _one(self, rows: Any) -> Any:
        """Return a row by chance. Raises NothingThere if there is none."""
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        if not keys:
            raise NothingThere
        return rows.get(pk=self.chance.choice(keys))


class NothingThere(Exception):
    """There is no row yet that the deed could be done to."""
