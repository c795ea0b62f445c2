"""What a purchase would cost, computed by the same function as the bills from a changed ledger (docs/billing.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from billing.inputs import Tariffs, tariffs
from billing.previews.estimate import NOTHING, total, whole_month
from billing.pricing.charges import RECURRING, USAGE, Held, Line, current_lines, month_after
from subscriptions.differences import Difference
from subscriptions.models import ContactCenter, Holding
from subscriptions.rules import Catalogue, Subscription
from subscriptions.writing import rewrite_ledger


@dataclass(frozen=True)
class Effect:
    """How a change affects the lines of a month: those that are added, and those that are removed."""

    added: Sequence[Line]
    removed: Sequence[Line]

    @property
    def amount(self) -> Decimal:
        """How much more the month costs, USD; negative if it costs less."""
        return total(self.added) - total(self.removed)


@dataclass(frozen=True)
class Cost:
    """A line of a purchase, with its effect on this month and on each whole month (in onboarding, once live).

    `included` are usage lines, without minutes, that say what packages include on parts of this month (billing policy
    9), if the purchase changes that.
    """

    difference: Difference
    now: Effect
    later: Effect
    included: Sequence[Line] = ()

    @property
    def this_month(self) -> Decimal:
        return self.now.amount

    @property
    def per_month(self) -> Decimal:
        return self.later.amount


@dataclass(frozen=True)
class PurchaseCost:
    """What a purchase costs, line by line and in total."""

    lines: Sequence[Cost]

    @property
    def this_month(self) -> Decimal:
        return sum((line.this_month for line in self.lines), NOTHING)

    @property
    def per_month(self) -> Decimal:
        return sum((line.per_month for line in self.lines), NOTHING)


def purchase_cost(
    center: ContactCenter, changes: Sequence[Difference], *, catalogue: Catalogue, now: datetime
) -> PurchaseCost:
    """Return what each line of a purchase adds to the recurring charges, if the lines are applied in order (R15).

    The ledger is read once for each line, of which a purchase has few.
    """
    prices = tariffs()
    month = center.account.day_of(now).replace(day=1)
    activated_on = center.account.onboarding.activated_on
    costs: list[Cost] = []
    rows = list(Holding.objects.valid().filter(account=center.account_id, period__overlap=(month, None)))
    before = _charges([_held(row, prices) for row in rows], month, activated_on)
    for change in changes:
        outcome = rewrite_ledger(center, change.step, catalogue=catalogue, now=now).values()
        gone = {key for place in outcome for key in place.superseded}
        held = [_held(row, prices) for row in rows if row.pk not in gone]
        held += [
            Held(prices[row.held.item], row.held.quantity, row.start, row.end)
            for place in outcome
            for row in place.written
        ]
        after = _charges(held, month, activated_on)
        now_included, included = _included(before.usage), _included(after.usage)
        costs.append(
            Cost(
                change,
                _effect(before.this_month, after.this_month),
                _effect(before.whole_month, after.whole_month),
                [] if included == now_included else included,
            )
        )
        before = after
    return PurchaseCost(costs)


@dataclass(frozen=True)
class NewTotal:
    """The total of a whole month with what is held, and with what was chosen instead."""

    held: Sequence[Line]
    chosen: Sequence[Line]

    @property
    def before(self) -> Decimal:
        return total(self.held)

    @property
    def after(self) -> Decimal:
        return total(self.chosen)


def new_total(
    center: ContactCenter, held: Subscription, chosen: Subscription, *, catalogue: Catalogue, today: date
) -> NewTotal:
    """Return the total of the month after today's with what is held and with what was chosen; in onboarding, once live.

    `catalogue` has all items that either names.
    """
    prices = tariffs()

    def lines(wanted: Subscription) -> list[Line]:
        skus = [wanted.storage, wanted.package, *sorted(wanted.switched_on)]
        rows = [Held(prices[catalogue[sku].pk], 1, today) for sku in skus]
        if wanted.seats:
            rows.append(Held(prices[center.edition_id], wanted.seats, today))
        return whole_month(rows, today.replace(day=1))

    return NewTotal(lines(held), lines(chosen))


def _effect(before: Sequence[Line], after: Sequence[Line]) -> Effect:
    """Return the lines in which two months differ, each in their order."""
    return Effect([line for line in after if line not in before], [line for line in before if line not in after])


class _Charges(NamedTuple):
    """The recurring lines of a month, its usage lines without minutes, and the lines of a whole month after it."""

    this_month: list[Line]
    usage: list[Line]
    whole_month: list[Line]


def _charges(held: Sequence[Held], month: date, activated_on: date | None) -> _Charges:
    lines = current_lines(month, held, {}, activated_on)
    following = month_after(month)
    reaching = [row for row in held if row.end is None or row.end > following]
    return _Charges(
        [line for line in lines if line.kind == RECURRING],
        [line for line in lines if line.kind == USAGE],
        whole_month(reaching, month),
    )


def _included(usage: Iterable[Line]) -> list[Line]:
    """Return the lines that say what packages include on parts of the month."""
    return [line for line in usage if line.included and line.days < line.days_in_month]


def _held(row: Holding, prices: Tariffs) -> Held:
    return Held(prices[row.item_id], row.quantity, row.period.lower, row.period.upper)
