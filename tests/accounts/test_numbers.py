"""A number's kind is told by the numbering plan; a number that is in use does not move."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account, PhoneNumber, User
from subscriptions.actions import assign_number, unassign_number
from tests.guarding import refused_by, sql

LOCAL, TOLL_FREE = PhoneNumber.Kind.LOCAL, PhoneNumber.Kind.TOLL_FREE


@pytest.mark.parametrize("code", [800, 833, 844, 855, 866, 877, 888])
def test_toll_free_codes_of_north_america(account: Account, code: int) -> None:
    assert PhoneNumber.objects.create(account=account, number=f"+1{code}5550100").kind == TOLL_FREE


@pytest.mark.parametrize("number", ["+12125550100", "+18085550100", "+18015550100", "+14165550100", "+442079460100"])
def test_others_are_local(account: Account, number: str) -> None:
    assert PhoneNumber.objects.create(account=account, number=number).kind == LOCAL


def test_the_kind_is_never_set_by_hand(account: Account) -> None:
    phone = PhoneNumber.objects.create(account=account, number="+12125550100", kind=TOLL_FREE)
    assert phone.kind == LOCAL
    phone.number = "+18005550100"
    phone.kind = LOCAL
    phone.save()
    phone.refresh_from_db()
    assert phone.kind == TOLL_FREE


def test_a_number_is_read_as_it_is_written_in_its_country(account: Account) -> None:
    phone = PhoneNumber.objects.create(account=account, number="(800) 555-0100")
    assert (str(phone), phone.number.as_e164) == ("(800) 555-0100", "+18005550100")


@pytest.mark.parametrize("number", ["", "12", "+1800", "hello", "+1 800 555 01000000"])
def test_what_is_not_a_number_is_refused(account: Account, number: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        PhoneNumber(account=account, number=number).full_clean()
    assert "number" in refusal.value.error_dict


@pytest.mark.parametrize("number", ["8005550100", "+0800555010", "+1 800 555 0100", "tel:+18005550100", ""])
def test_the_database_takes_the_international_form_only(toll_free: PhoneNumber, number: str) -> None:
    with refused_by("phone_number_is_e164"):
        sql("UPDATE accounts_phonenumber SET number = %s", number)


def test_a_number_belongs_to_one_account(toll_free: PhoneNumber, make_account: Callable[..., Account]) -> None:
    with pytest.raises(ValidationError, match="already belongs to an account"):
        PhoneNumber(account=make_account("100002"), number="+18005550100").full_clean()


def test_an_assigned_number_does_not_move_to_another_account(
    installed: Account, owner: User, toll_free: PhoneNumber, make_account: Callable[..., Account]
) -> None:
    assign_number(installed, toll_free, by=owner)
    toll_free.full_clean()
    toll_free.account = make_account("100002")
    with pytest.raises(ValidationError) as refusal:
        toll_free.full_clean()
    assert refusal.value.error_dict["account"][0].code == "number_assigned"
    unassign_number(installed, PhoneNumber.objects.get(), by=owner)
    toll_free.full_clean()
