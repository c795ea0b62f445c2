"""How ready accounts are to go live (R17, R21): which of four things they have."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from accounts.models import NumberAssignment, ServiceUser
from subscriptions.models import ContactCenter, Holding, ItemKind

STEPS: Final = 4


@dataclass(frozen=True)
class Readiness:
    """How many an account has of each of the four things it needs; one of each is enough."""

    seats: int = 0
    channels: int = 0
    people: int = 0
    numbers: int = 0

    @property
    def steps(self) -> Iterator[tuple[bool, str]]:
        """For each of the four, whether the account has one, and the number as text."""
        yield self.seats > 0, _counted(self.seats, "seat", "seats")
        yield self.channels > 0, _counted(self.channels, "channel", "channels")
        yield self.people > 0, _counted(self.people, "user", "users")
        yield self.numbers > 0, _counted(self.numbers, "number", "numbers")

    @property
    def ready(self) -> int:
        """How many of the four the account has."""
        return sum(is_ready for is_ready, _ in self.steps)

    @property
    def fraction(self) -> str:
        return f"{self.ready} of {STEPS}"

    @property
    def is_whole(self) -> bool:
        return self.ready == STEPS

    def __str__(self) -> str:
        missing = [words for is_ready, words in self.steps if not is_ready]
        return "Ready" if not missing else ", ".join(missing)


def readiness_of(accounts: Collection[int]) -> dict[int, Readiness]:
    """Return the readiness of these accounts by their keys, leaving out those without Contact Center. One query."""
    rows = ContactCenter.objects.filter(account__in=accounts).values_list(
        "account", "seats", _counted_of(_channels()), _counted_of(_people()), _counted_of(_numbers())
    )
    return {account: Readiness(*counts) for account, *counts in rows}


def readiness_score() -> Any:
    """Return `Readiness.ready` as an expression to sort and filter by, for rows with an `account_id`."""
    parts = [Case(When(each, then=Value(1)), default=Value(0), output_field=IntegerField()) for each in _conditions()]
    return parts[0] + parts[1] + parts[2] + parts[3]


def is_ready() -> Q:
    """Return `Readiness.is_whole` as a condition, for rows with an `account_id`."""
    return Q(*_conditions())


def _conditions() -> list[Any]:
    """Return four conditions, one for each of the four things: that the account has one."""
    # Not EXISTS: the planner underestimates the number of current rows, and would turn it into joins of whole tables.
    seats = ContactCenter.objects.filter(account=OuterRef("account_id"), seats__gt=0)
    return [
        IsNull(Subquery(there.order_by().values_list(Value(1))[:1]), False)
        for there in (seats, _channels(), _people(), _numbers())
    ]


def _channels() -> QuerySet[Any]:
    return Holding.objects.open().filter(account=OuterRef("account_id"), slot__gt=0, item__kind=ItemKind.CHANNEL)


def _people() -> QuerySet[Any]:
    return ServiceUser.objects.with_contact_center().filter(account=OuterRef("account_id"))


def _numbers() -> QuerySet[Any]:
    return NumberAssignment.objects.current().filter(account=OuterRef("account_id"))


def _counted_of(rows: QuerySet[Any]) -> Any:
    """Return the expression for the number of these rows that an account has."""
    counts = rows.order_by().values("account_id").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counts), 0)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}" if number else f"no {many}"
