"""A temporary table of the same name shadows ours, but guards always read ours (I1, I2, I5, I16)."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Account, User
from core.guards import check_guards, sentence_of
from onboarding.models import Onboarding
from subscriptions.models import ContactCenter, Item
from tests.guarding import sql

EXERCISED = {"onboarding_with_contact_center"}

SHADOWS = {
    "onboarding_seat_limit": (
        "CREATE TEMP TABLE onboarding_onboarding AS SELECT account_id, now() AS activated_at "
        "FROM public.onboarding_onboarding",
        "UPDATE public.subscriptions_contactcenter SET seats = 99",
    ),
    "onboarding_package_lock": (
        "CREATE TEMP TABLE subscriptions_item AS SELECT id, kind, true AS held_at_install "
        "FROM public.subscriptions_item",
        "UPDATE public.subscriptions_contactcenter SET package_id = "
        "(SELECT id FROM public.subscriptions_item WHERE sku = 'tf-500')",
    ),
    "onboarding_activated_by_the_team": (
        "CREATE TEMP TABLE accounts_user AS SELECT id, true AS is_active, true AS is_staff, true AS is_superuser "
        "FROM public.accounts_user",
        "UPDATE public.onboarding_onboarding SET activated_at = now(), activated_from = 'admin', reason = 'Forged', "
        "activated_by_id = (SELECT id FROM public.accounts_user WHERE email = 'olivia@example.com')",
    ),
}


@pytest.mark.parametrize("guard", SHADOWS)
def test_a_shadow_of_its_table_does_not_fool_a_guard(installed: Account, owner: User, guard: str) -> None:
    shadow, attack = SHADOWS[guard]
    sql(shadow)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        sql(attack)
    sql(f"DROP TABLE pg_temp.{shadow.split()[3]}")
    assert sentence_of(refusal.value).guard == guard
    center = ContactCenter.objects.get()
    assert (center.seats, center.package, Onboarding.objects.get().is_active) == (
        0,
        Item.objects.get(sku="tf-payperuse"),
        False,
    )


def test_a_shadow_does_not_keep_history_from_being_written(installed: Account) -> None:
    with transaction.atomic():
        sql("CREATE TEMP TABLE subscriptions_contactcenter (LIKE public.subscriptions_contactcenter)")
        sql("UPDATE public.subscriptions_contactcenter SET seats = 2")
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("DROP TABLE pg_temp.subscriptions_contactcenter")
    assert ContactCenter.objects.get().history.latest().seats == 2


def test_a_guard_that_could_be_fooled_is_seen(db: None) -> None:
    assert check_guards(databases=["default"]) == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER FUNCTION onboarding_seat_limit() RESET search_path")
    assert [message.id for message in check_guards(databases=["default"])] == ["guards.E004"]


def test_an_activation_in_the_future_is_refused(installed: Account, member: User) -> None:
    sql("SET LOCAL guards.clock = 'refused'")
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Onboarding.objects.update(
            activated_at="2099-01-01T00:00Z", activated_by=member, activated_from="admin", reason="Live, never charged"
        )
    assert sentence_of(refusal.value).guard == "onboarding_activation_is_final"
    assert not Onboarding.objects.get().is_active


def test_contact_center_without_a_mode_is_refused(installed: Account, make_account: object, catalogue: None) -> None:
    other = make_account("100002")  # type: ignore[operator]
    center = ContactCenter.objects.get()
    center.pk, center.account = None, other
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        ContactCenter.objects.bulk_create([center])
    assert sentence_of(refusal.value).guard == "onboarding_with_contact_center"
    assert ContactCenter.objects.count() == 1
