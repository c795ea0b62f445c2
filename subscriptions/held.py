"""What many accounts hold, as text for lists."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, OuterRef, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from subscriptions.kinds import SWITCHED
from subscriptions.models import ContactCenter, Holding

IN_ORDER = Case(*(When(item__kind=kind.kind, then=Value(place)) for place, kind in enumerate(SWITCHED)))


@dataclass(frozen=True)
class SubscriptionSummary:
    """What one account holds now: the names of its items."""

    edition: str
    seats: int
    storage: str
    package: str
    switched_on: tuple[str, ...]

    @property
    def lines(self) -> Iterator[str]:
        """The parts of the subscription, each as a short text in the active language."""
        yield ngettext("%(count)s seat", "%(count)s seats", self.seats) % {"count": f"{self.seats:,}"}
        yield ", ".join(self.switched_on) or _("no channels")
        yield _("%(storage)s of recordings") % {"storage": self.storage}
        yield _("%(package)s toll-free") % {"package": self.package}

    def __str__(self) -> str:
        return " · ".join((self.edition, *self.lines))


def held_by_accounts(accounts: Collection[int]) -> dict[int, SubscriptionSummary]:
    """Return what the accounts with these keys hold, by key, leaving out those without Contact Center. One query."""
    switched_on = Holding.objects.open().filter(account=OuterRef("account"), slot__gt=0).order_by(IN_ORDER, "item")
    centers = ContactCenter.objects.filter(account__in=accounts).values_list(
        "account",
        "edition__name",
        "seats",
        "storage__name",
        "package__name",
        ArraySubquery(switched_on.values("item__name")),
    )
    return {
        account: SubscriptionSummary(edition, seats, storage, package, tuple(names))
        for account, edition, seats, storage, package, names in centers
    }
