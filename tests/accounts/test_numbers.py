"""A number's kind is determined by the numbering plan, and a number that is in use can't be moved."""

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


@pytest.mark.parametrize(
    "typed",
    [
        "(212) 555-0123", "212.555.0123", "212 555 0123", "2125550123", "1-212-555-0123", "+1 212 555 0123",
        "+12125550123", "tel:+1-212-555-0123", "011 1 212 555 0123", "00 1 212 555 0123", " 555-0123 ", "212", "(212)",
        "555-012", "+1 212", "1212", "２１２５５５０１２３", "٢١٢٥٥٥٠١٢٣", "212/555/0123", "212–555–0123",
        "(212) 555-0123 ext. 7", "212 555 0123 x7",
    ],
)  # fmt: skip
def test_a_number_is_found_however_it_is_written(account: Account, typed: str) -> None:
    for number in ("+12125550123", "+13105550199", "+18003569377", "+442079460958"):
        PhoneNumber.objects.create(account=account, number=number)
    assert [phone.number.as_e164 for phone in PhoneNumber.objects.matching(typed)] == ["+12125550123"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("1-800-FLOWERS", "+18003569377"),
        ("(800) flowers", "+18003569377"),
        ("020 7946 0958", "+442079460958"),
        ("2079460958", "+442079460958"),
        ("+44 20 7946 0958", "+442079460958"),
        ("011 44 20 7946 0958", "+442079460958"),
    ],
)
def test_letters_and_numbers_of_other_countries_are_understood(account: Account, typed: str, found: str) -> None:
    for number in ("+12125550123", "+18003569377", "+442079460958"):
        PhoneNumber.objects.create(account=account, number=number)
    assert [phone.number.as_e164 for phone in PhoneNumber.objects.matching(typed)] == [found]


@pytest.mark.parametrize("typed", ["Acme", "agent 7", "+", "()", "0", "x" * 40, "%", "_", "9" * 40])
def test_what_is_no_number_finds_none(toll_free: PhoneNumber, typed: str) -> None:
    assert not PhoneNumber.objects.matching(typed).exists()


def test_a_search_for_nothing_finds_all(toll_free: PhoneNumber) -> None:
    assert PhoneNumber.objects.matching(" ").get() == toll_free
