"""The Subscription tab as customers use it: form, confirmation, purchase (R3, R4, R15, I14)."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import Client

from accounts.models import Account, Contact, Refusal, Role, User
from core.past import writing_history
from onboarding.actions import activate
from onboarding.rules import SEAT_LIMIT
from subscriptions.catalogue import contact_center_of, held_by
from subscriptions.models import Item, Price, SubscriptionChange
from subscriptions.rules import Subscription
from subscriptions.views.subscription import SALT

PAGE = "/accounts/100001/contact-center/subscription/"
CONFIRM = PAGE + "confirm/"
HELD = {"seats": 0, "channels": ["channel-voice"], "storage": "storage-5", "package": "tf-payperuse"}


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def held(account: Account) -> Subscription:
    return held_by(contact_center_of(account))


def token_of(page: HttpResponse) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def save(customer: Client, **wanted: Any) -> HttpResponse:
    return customer.post(PAGE, {**HELD, **wanted})


def test_a_purchase_is_shown_once_more_and_then_made(customer: Client, installed: Account, owner: User) -> None:
    page = save(customer, seats=2, channels=["channel-voice", "channel-chat"], storage="storage-100")
    text = page.content.decode()
    assert "Confirm your changes" in text
    assert "$70.00 per seat" in text
    assert "Nothing of this is charged while your account is in onboarding" in text
    assert held(installed).seats == 0
    answer = customer.post(CONFIRM, {"token": token_of(page)}, follow=True)
    assert "Your subscription was changed." in answer.content.decode()
    assert held(installed) == Subscription(
        seats=2,
        storage="storage-100",
        package="tf-payperuse",
        channels=frozenset({"channel-voice", "channel-chat"}),
    )
    assert SubscriptionChange.objects.latest("version").by == owner


def test_refusals_stand_at_their_fields_and_leave_their_rows(customer: Client, installed: Account, owner: User) -> None:
    page = save(customer, seats=SEAT_LIMIT + 1, package="tf-500")
    text = page.content.decode()
    assert page.status_code == 422
    assert re.search(rf'id="id_seats_error"><li>[^<]* it can hold at most {SEAT_LIMIT} concurrent-user seats', text)
    assert re.search(r'id="id_package_error"><li>While your account is in onboarding, the toll-free package', text)
    assert f'value="{SEAT_LIMIT + 1}"' in text, "what was typed is not lost"
    assert 'aria-invalid="true"' in text
    assert set(Refusal.objects.values_list("rule", "by")) == {("seat_limit", owner.pk), ("package_locked", owner.pk)}
    assert SubscriptionChange.objects.count() == 1


@pytest.mark.parametrize("seats", ["-1", str(2**40), "", "two", "1e9", "9" * 5000, "\x00", "1.5"])
def test_no_seats_answer_with_a_500(customer: Client, active: Account, seats: str) -> None:
    page = save(customer, seats=seats)
    assert page.status_code == 422
    assert 'id="id_seats_error"' in page.content.decode()
    assert held(active).seats == 0


@pytest.mark.parametrize("field", ["channels", "addons", "storage", "package"])
@pytest.mark.parametrize("value", ["nonsense", "cc-pro", "", "\x00", "x" * 10_000])
def test_nothing_that_is_not_sold_answers_with_a_500(customer: Client, active: Account, field: str, value: str) -> None:
    before = held(active)
    page = save(customer, **{field: value})
    assert page.status_code in (200, 422)
    assert held(active) == before


def test_the_locked_package_says_why_and_the_seats_say_their_limit(customer: Client, installed: Account) -> None:
    text = customer.get(PAGE).content.decode()
    assert 'id="package-lock">While your account is in onboarding' in text
    assert re.search(r'value="tf-500" disabled', text)
    assert f"At most {SEAT_LIMIT} while your account is in onboarding" in text
    assert f'max="{SEAT_LIMIT}"' in text


def test_once_active_packages_and_seats_are_free_to_choose(customer: Client, active: Account) -> None:
    text = customer.get(PAGE).content.decode()
    assert "package-lock" not in text
    assert "max=" not in text
    page = save(customer, seats=25, package="tf-2500")
    customer.post(CONFIRM, {"token": token_of(page)})
    assert (held(active).seats, held(active).package) == (25, "tf-2500")


def test_a_replayed_confirmation_changes_nothing(customer: Client, installed: Account) -> None:
    token = token_of(save(customer, seats=1))
    customer.post(CONFIRM, {"token": token})
    customer.post(CONFIRM, {"token": token_of(save(customer, seats=2))})
    answer = customer.post(CONFIRM, {"token": token}, follow=True)
    assert "You have confirmed this already" in answer.content.decode()
    assert held(installed).seats == 2
    assert SubscriptionChange.objects.count() == 3


def test_a_confirmation_is_stale_when_somebody_else_changed_it(customer: Client, installed: Account) -> None:
    first, second = save(customer, seats=1), save(customer, seats=2, storage="storage-25")
    customer.post(CONFIRM, {"token": token_of(first)})
    page = customer.post(CONFIRM, {"token": token_of(second)})
    assert page.status_code == 409
    assert "Something changed since this page was made" in page.content.decode()
    assert held(installed).seats == 1
    assert Refusal.objects.get().rule == "stale"
    customer.post(CONFIRM, {"token": token_of(page)})
    assert (held(installed).seats, held(installed).storage) == (2, "storage-25")


@pytest.mark.owner
def test_a_confirmation_is_stale_when_a_price_changed(customer: Client, installed: Account) -> None:
    page = save(customer, seats=1)
    with writing_history():
        Price.objects.create(
            item=Item.objects.get(sku="cc-pro"), effective_from=date(2026, 3, 6), monthly_price=Decimal(75)
        )
    assert customer.post(CONFIRM, {"token": token_of(page)}).status_code == 409
    assert held(installed).seats == 0


def test_a_confirmation_is_stale_when_the_mode_changed(customer: Client, installed: Account, member: User) -> None:
    page = save(customer, seats=1)
    activate(installed, by=member, reason="Ready")
    shown_again = customer.post(CONFIRM, {"token": token_of(page)})
    assert shown_again.status_code == 409
    assert "Nothing of this is charged" not in shown_again.content.decode()
    assert held(installed).seats == 0


def test_back_keeps_what_was_chosen(customer: Client, installed: Account) -> None:
    page = save(customer, seats=2, storage="storage-100")
    text = customer.post(CONFIRM, {"token": token_of(page), "back": "1"}).content.decode()
    assert re.search(r'name="seats" value="2"', text)
    assert re.search(r'value="storage-100" checked', text)
    assert held(installed).seats == 0


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c", "\x00"])
def test_a_damaged_confirmation_changes_nothing(customer: Client, installed: Account, token: str) -> None:
    answer = customer.post(CONFIRM, {"token": token}, follow=True)
    assert "This confirmation has expired or was damaged" in answer.content.decode()
    assert SubscriptionChange.objects.count() == 1


def test_a_confirmation_of_somebody_else_changes_nothing(
    customer: Client, installed: Account, make_user: Callable[..., User]
) -> None:
    page = save(customer, seats=1)
    other = make_user("tess@example.com")
    Contact.objects.create(account=installed, user=other, role=Role.TECHNICAL)
    customer.force_login(other)
    customer.post(CONFIRM, {"token": token_of(page)})
    assert held(installed).seats == 0


def test_an_old_confirmation_has_expired(customer: Client, installed: Account, time_machine: Any) -> None:
    page = save(customer, seats=1)
    time_machine.move_to(datetime.now(UTC) + timedelta(hours=25))
    customer.force_login(User.objects.get(email="olivia@example.com"))
    answer = customer.post(CONFIRM, {"token": token_of(page)}, follow=True)
    assert "expired" in answer.content.decode()
    assert held(installed).seats == 0


def test_a_viewer_sees_and_can_not_buy(customer: Client, installed: Account, make_user: Callable[..., User]) -> None:
    token = token_of(save(customer, seats=1))
    viewer = make_user("vera@example.com")
    Contact.objects.create(account=installed, user=viewer, role=Role.VIEWER)
    customer.force_login(viewer)
    page = customer.get(PAGE).content.decode()
    assert "Your role lets you look at the subscription" in page
    assert "Save changes" not in page
    assert save(customer, seats=1).status_code == 403
    assert customer.post(CONFIRM, {"token": token}).status_code == 403
    assert held(installed).seats == 0


def test_a_waiting_package_is_shown_with_its_day(customer: Client, active: Account) -> None:
    customer.post(CONFIRM, {"token": token_of(save(customer, package="tf-2500"))})
    page = save(customer, package="tf-500")
    assert "Smaller packages take effect on the 1st of next month." in page.content.decode()
    customer.post(CONFIRM, {"token": token_of(page)})
    assert "2,500 minutes counts until" in customer.get(PAGE).content.decode()


def test_the_page_needs_the_same_queries_whatever_is_held(
    customer: Client, installed: Account, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(14):
        customer.get(PAGE)
    customer.post(CONFIRM, {"token": token_of(save(customer, addons=["addon-wfm", "addon-crm", "addon-screen"]))})
    customer.get(PAGE)  # shows the message, which takes extra queries
    with django_assert_num_queries(14):
        customer.get(PAGE)


def test_a_page_that_was_opened_before_an_upgrade_can_be_confirmed(installed: Account, customer: Client) -> None:
    """It calls the digest by the name it had."""
    page = customer.post(PAGE, {**HELD, "seats": "1"})
    token = signing.loads(token_of(page), salt=SALT)
    token["basis"] = token.pop("digest")
    answer = customer.post(CONFIRM, {"token": signing.dumps(token, salt=SALT, compress=True)})
    assert answer.status_code == 302
    assert contact_center_of(installed).seats == 1
