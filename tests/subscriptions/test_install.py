"""`install`: once per account, and it starts onboarding mode automatically (R1)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, Contact, Refusal, Role, User
from core.clock import database_now
from onboarding.models import Onboarding
from subscriptions.actions import install, load_catalogue
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.models import ContactCenter, Holding, Item, SubscriptionChange
from subscriptions.rules import Subscription
from tests.conftest import INSTALLED, catalogue_content, codes
from tests.guarding import nothing_written, settle


@pytest.mark.parametrize("edition", ["cc-pro", "cc-elite"])
def test_installing_switches_onboarding_on_with_the_defaults(
    account: Account, owner: User, catalogue: None, edition: str
) -> None:
    center = install(account, edition=edition, by=owner, now=INSTALLED)
    assert (center.edition.sku, center.version, center.installed_at) == (edition, 0, INSTALLED)
    onboarding = Onboarding.objects.in_onboarding().get()
    assert (onboarding.account, onboarding.started_at, onboarding.is_active) == (account, INSTALLED, False)
    assert held_by(contact_center_of(account)) == Subscription(
        seats=0, storage="storage-5", package="tf-payperuse", channels=frozenset({"channel-voice"})
    )
    change = SubscriptionChange.objects.get()
    assert (change.version, change.by, change.at, change.confirmation) == (0, owner, INSTALLED, None)
    ledger = Holding.objects.values_list("item__sku", "quantity", "period__startswith", "period__endswith")
    assert sorted(ledger) == [
        (sku, 1, date(2026, 3, 5), None) for sku in ("channel-voice", "storage-5", "tf-payperuse")
    ]
    settle()
    for record in (center, onboarding):
        history = record.history.get()
        assert (history.history_type, history.history_user, history.history_date) == ("+", owner, INSTALLED)


def test_a_second_install_is_refused_and_nothing_is_written(installed: Account, owner: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        install(installed, edition="cc-elite", by=owner)
    assert codes(refusal.value) == {("__all__", "already_installed")}
    assert Refusal.objects.get().tried == "cc-elite"


def test_installing_again_does_not_bring_onboarding_back(active: Account, owner: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        install(active, edition="cc-pro", by=owner)
    assert codes(refusal.value) == {("__all__", "already_installed")}


@pytest.mark.parametrize("edition", ["", "cc-none", "channel-voice", "tf-payperuse", "cc-\x00pro"])
def test_what_is_not_a_product_is_refused(account: Account, owner: User, catalogue: None, edition: str) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        install(account, edition=edition, by=owner, now=INSTALLED)
    assert codes(refusal.value) == {("edition", "unknown_item")}


@pytest.mark.parametrize("section", ["recording_storage", "toll_free_packages"])
def test_without_its_defaults_neither_contact_center_nor_onboarding_is_made(
    account: Account, owner: User, section: str
) -> None:
    content = catalogue_content()
    load_catalogue({**content, section: [row for row in content[section] if not row.get("default")]})
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        install(account, edition="cc-pro", by=owner, now=INSTALLED)
    assert codes(refusal.value) == {("__all__", "catalogue_incomplete")}
    assert not Onboarding.objects.exists()
    assert not ContactCenter.objects.exists()


def test_before_its_prices_take_effect_nothing_is_sold(account: Account, owner: User, catalogue: None) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        install(account, edition="cc-pro", by=owner, now=datetime(2025, 12, 31, 12, tzinfo=UTC))
    assert codes(refusal.value) == {("edition", "unknown_item")}


def test_what_another_edition_only_is_sold_with_is_not_installed(
    account: Account, owner: User, catalogue: None
) -> None:
    Item.objects.filter(sku="channel-voice").update(only_for=["cc-elite"])
    install(account, edition="cc-pro", by=owner, now=INSTALLED)
    assert held_by(contact_center_of(account)).by_field["channels"] == frozenset()


@pytest.mark.parametrize("role", [Role.BILLING, Role.VIEWER, None])
def test_only_owners_and_technical_administrators_install(
    account: Account, catalogue: None, make_user: Callable[..., User], role: Role | None
) -> None:
    other = make_user("other@example.com")
    if role:
        Contact.objects.create(account=account, user=other, role=role)
    with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
        install(account, edition="cc-pro", by=other)


def test_the_team_installs_and_other_staff_does_not(
    account: Account, catalogue: None, member: User, supporter: User, biller: User
) -> None:
    for other in (supporter, biller):
        with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
            install(account, edition="cc-pro", by=other)
    assert install(account, edition="cc-pro", by=member).account == account


@pytest.mark.parametrize("minutes", [-10, 10])
def test_the_clock_is_the_databases(account: Account, owner: User, catalogue: None, minutes: int) -> None:
    before = database_now()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes), tick=False):
        center = install(account, edition="cc-pro", by=owner)
    assert before < center.installed_at < database_now()
    onboarding = Onboarding.objects.get()
    moments = {onboarding.started_at, onboarding.history.get().history_date, center.history.get().history_date}
    assert moments == {center.installed_at}
