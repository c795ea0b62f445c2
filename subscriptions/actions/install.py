"""The verb that puts Contact Center on an account."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import Capability, require
from core.clock import database_now
from core.history import credit
from onboarding.models import NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue
from subscriptions.actions.write import write_change
from subscriptions.catalogue import catalogue_on
from subscriptions.models import ContactCenter, Kind
from subscriptions.rules import Subscription, withdrawn


@action
def install(account: Account, *, edition: str, by: User, now: datetime | None = None) -> ContactCenter:
    """Install Contact Center, switch onboarding mode on (R1), and return it.

    `edition` is the SKU of a product. It starts with 0 seats and the catalogue's defaults: the Voice channel, the
    smallest storage, the Pay-per-use package. Refused where the account has Contact Center, or the product is not sold
    there today.
    """
    require(Capability.CHANGE_SERVICES, by, account, or_permission="subscriptions.add_contactcenter")
    if ContactCenter.objects.filter(account=account).exists():
        raise ValidationError(
            _("Contact Center is already installed on account %(number)s."),
            code="already_installed",
            params={"number": account.number, "tried": edition},
        )
    now = now or database_now()
    today = account.decided_day(now)
    catalogue = catalogue_on(today)
    product = catalogue.get(edition)
    if product is None or product.kind != Kind.PRODUCT:
        raise ValidationError(
            {
                "edition": ValidationError(
                    _("Choose one of the editions that are sold."), code="unknown_item", params={"tried": edition}
                )
            }
        )
    if not product.is_on_sale(today):
        raise ValidationError({"edition": withdrawn(product)})
    defaults = [item for item in catalogue.values() if item.held_at_install and item.is_sold_with(product)]
    by_kind = {item.kind: item for item in defaults}
    if not {Kind.STORAGE, Kind.PACKAGE} <= by_kind.keys():
        raise ValidationError(
            _("The catalogue has no default storage or toll-free package today. Ask the provider to complete it."),
            code="catalogue_incomplete",
        )
    credit(Onboarding(account=account, started_at=now, started_on=today), by, now).save()
    center = ContactCenter(account=account, edition=product, installed_at=now)
    wanted = Subscription(
        seats=0,
        storage=by_kind[Kind.STORAGE].sku,
        package=by_kind[Kind.PACKAGE].sku,
        channels=frozenset(item.sku for item in defaults if item.kind == Kind.CHANNEL),
        addons=frozenset(item.sku for item in defaults if item.kind == Kind.ADDON),
    )
    write_change(center, wanted, catalogue=catalogue, by=by, now=now)
    enqueue([account.pk], NoticeKind.INSTALLED, occasion="installed", now=now, data={"edition": product.name})
    return center
