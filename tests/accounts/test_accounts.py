"""Accounts: valid numbers and time zones, who can see them, and what each role may do (R20)."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, Contact, Role, User
from accounts.roles import Capability, capabilities_of, require
from tests.guarding import load_fixture, refused_by

SEE_SERVICES, CHANGE_SERVICES = Capability.SEE_SERVICES, Capability.CHANGE_SERVICES
SEE_BILLING, SEE_AUDIT_LOG = Capability.SEE_BILLING, Capability.SEE_AUDIT_LOG
CHANGE_PROFILE = Capability.CHANGE_BILLING_PROFILE


@pytest.mark.parametrize("number", ["1000", "100001", "999999999999"])
def test_a_number_has_4_to_12_digits(db: None, number: str) -> None:
    Account(number=number, company="Acme").full_clean()


@pytest.mark.parametrize(
    "number", ["", "100", "1000000000000", "10000A", "1000\n", " 1000", "-1000", "１０００", "1000\x00"]
)
def test_anything_else_is_no_number(db: None, number: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Account(number=number, company="Acme").full_clean()
    assert set(refusal.value.error_dict) == {"number"}


def test_a_number_is_given_once(account: Account) -> None:
    with pytest.raises(ValidationError) as refusal:
        Account(number=account.number, company="Other").full_clean()
    assert set(refusal.value.error_dict) == {"number"}


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "EST5", "america/new_york", "../etc/passwd", "New York"])
def test_a_time_zone_is_of_the_tz_database(db: None, zone: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Account(number="100001", company="Acme", timezone=zone).full_clean()
    assert set(refusal.value.error_dict) == {"timezone"}


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", date(2026, 3, 7)),
        ("UTC", date(2026, 3, 8)),
        ("Pacific/Kiritimati", date(2026, 3, 8)),
        ("Pacific/Pago_Pago", date(2026, 3, 7)),
    ],
)
def test_a_day_is_the_accounts_own(zone: str, day: date) -> None:
    assert Account(timezone=zone).day_of(datetime(2026, 3, 8, 4, 59, tzinfo=UTC)) == day


def test_a_user_reaches_his_accounts_only(
    account: Account, owner: User, make_account: Callable[..., Account], member: User
) -> None:
    second = make_account("100002", owner=owner)
    Contact.objects.create(account=second, user=owner, role=Role.BILLING)
    make_account("100003")
    assert list(Account.objects.for_user(owner)) == [account, second]
    assert not Account.objects.for_user(member).exists()
    assert not Account.objects.for_user(AnonymousUser()).exists()


@pytest.mark.parametrize(
    ("roles", "capabilities"),
    [
        ([], []),
        ([Role.OWNER], [SEE_SERVICES, CHANGE_SERVICES, SEE_BILLING, SEE_AUDIT_LOG, CHANGE_PROFILE]),
        ([Role.TECHNICAL], [SEE_SERVICES, CHANGE_SERVICES]),
        ([Role.BILLING], [SEE_BILLING, SEE_AUDIT_LOG, CHANGE_PROFILE]),
        ([Role.VIEWER], [SEE_SERVICES, SEE_BILLING, SEE_AUDIT_LOG]),
        ([Role.TECHNICAL, Role.BILLING], [SEE_SERVICES, CHANGE_SERVICES, SEE_BILLING, SEE_AUDIT_LOG, CHANGE_PROFILE]),
    ],
    ids=str,
)
def test_what_a_contact_may_do_is_the_sum_of_his_roles(
    account: Account,
    make_account: Callable[..., Account],
    make_user: Callable[..., User],
    roles: list[Role],
    capabilities: list[Capability],
) -> None:
    user = make_user("contact@example.com")
    elsewhere = make_account("100002", owner=user)
    for role in roles:
        Contact.objects.create(account=account, user=user, role=role)
    assert capabilities_of(user, account) == set(capabilities)
    assert capabilities_of(user, elsewhere) == set(Capability)
    for capability in Capability:
        if capability in capabilities:
            require(capability, user, account)
        else:
            with pytest.raises(PermissionDenied, match=f"does not let you {capability}"):
                require(capability, user, account)


def test_an_owner_who_was_switched_off_may_nothing(account: Account, owner: User) -> None:
    owner.is_active = False
    owner.save()
    with pytest.raises(PermissionDenied, match="switched off"):
        require(SEE_SERVICES, owner, account)


def test_staff_may_by_permission_where_the_verb_says_so(
    account: Account, member: User, supporter: User, owner: User
) -> None:
    require(CHANGE_SERVICES, member, account, or_permission="subscriptions.change_contactcenter")
    refused = [(member, ""), (member, "accounts.delete_account"), (supporter, "subscriptions.change_contactcenter")]
    for user, permission in refused:
        with pytest.raises(PermissionDenied):
            require(CHANGE_SERVICES, user, account, or_permission=permission)
    Contact.objects.all().delete()
    owner.groups.set(member.groups.all())  # has the team's permissions, but isn't staff
    with pytest.raises(PermissionDenied):
        require(CHANGE_SERVICES, owner, account, or_permission="subscriptions.change_contactcenter")


def test_a_role_is_held_once_and_is_one_of_the_list(account: Account, owner: User) -> None:
    with refused_by("contact_once_per_role"):
        load_fixture(Contact(account=account, user=owner, role=Role.OWNER))
    with pytest.raises(ValidationError):
        Contact(account=account, user=owner, role="captain").full_clean()
