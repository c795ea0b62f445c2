"""The action that installs Contact Center on an account."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import Capability, require
from core.clock import database_now
from core.history import attributed
from onboarding.models import NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue
from subscriptions.catalogue import catalogue_on
from subscriptions.kinds import ItemKind, by_field
from subscriptions.models import ContactCenter
from subscriptions.rules import Subscription, withdrawn_refusal
from subscriptions.writing import write_change


@action
def install(account: Account, *, edition: str, by: User, now: datetime | None = None) -> ContactCenter:
    """Install Contact Center, start onboarding mode (R1), and return the Contact Center.

    `edition` is the SKU of a product. The account starts with 0 seats and the catalog's defaults: the Voice channel,
    the smallest storage and the Pay-per-use package. Raises ValidationError if the account has Contact Center already,
    if the product is not on sale today in the account's time zone, or if the catalog has no defaults.
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
    if product is None or product.kind != ItemKind.PRODUCT:
        raise ValidationError(
            {
                "edition": ValidationError(
                    _("Choose one of the editions that are sold."), code="unknown_item", params={"tried": edition}
                )
            }
        )
    if not product.is_on_sale(today):
        raise ValidationError({"edition": withdrawn_refusal(product)})
    defaults = [item for item in catalogue.values() if item.held_at_install and item.is_sold_with(product)]
    by_kind = {item.kind: item for item in defaults}
    if not {ItemKind.STORAGE, ItemKind.PACKAGE} <= by_kind.keys():
        raise ValidationError(
            _("The catalogue has no default storage or toll-free package today. Ask the provider to complete it."),
            code="catalogue_incomplete",
        )
    attributed(Onboarding(account=account, started_at=now, started_on=today), to=by, at=now).save()
    center = ContactCenter(account=account, edition=product, installed_at=now)
    wanted = Subscription(
        seats=0,
        storage=by_kind[ItemKind.STORAGE].sku,
        package=by_kind[ItemKind.PACKAGE].sku,
        by_field=by_field((item.sku, item.kind) for item in defaults),
    )
    write_change(center, wanted, catalogue=catalogue, by=by, now=now)
    enqueue([account.pk], NoticeKind.INSTALLED, occasion="installed", now=now, data={"edition": product.name})
    return center
