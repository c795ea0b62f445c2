"""The worklist and the activation page: who can use them, what they show, and that no other page activates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from onboarding.actions import request_go_live
from onboarding.models import Onboarding, Origin
from subscriptions.actions import install
from tests.conftest import INSTALLED
from tests.onboarding.worklist import ticks

LIST = "/admin/onboarding/onboarding/"
CHOSEN = "/admin/onboarding/onboarding/activate/"
REASON = "Customer confirmed by phone"


def of(account: Account) -> Onboarding:
    return Onboarding.objects.get(account=account)


def button(account: Account) -> str:
    return reverse("admin:onboarding_onboarding_activate_one", args=[of(account).pk])


def on_account(account: Account) -> str:
    return reverse("admin:accounts_account_activate_account", args=[account.pk])


def confirmation(*accounts: Account) -> dict[str, object]:
    """Return the form with these accounts, all of them ticked, since none is ready."""
    keys = [str(account.pk) for account in accounts]
    return {"reason": REASON, "accounts": ",".join(keys), "despite": ticks(*accounts)}


def choice(*accounts: Account, **more: object) -> dict[str, object]:
    return {"action": "activate_selected", "_selected_action": [of(account).pk for account in accounts], **more}


@pytest.fixture
def as_member(member: User, client: Client) -> Client:
    client.force_login(member)
    return client


@pytest.fixture
def make_installed(make_account: Callable[..., Account], owner: User, catalogue: None) -> Callable[..., Account]:
    def make(number: str, *, now: datetime = INSTALLED, edition: str = "cc-pro") -> Account:
        account = make_account(number, owner=owner)
        install(account, edition=edition, by=owner, now=now)
        return account

    return make


@pytest.mark.parametrize("address", [button, on_account])
def test_the_confirmation_says_what_will_happen_and_does_nothing(
    address: Callable[[Account], str], installed: Account, as_member: Client
) -> None:
    answer = as_member.get(address(installed))
    text = answer.content.decode()
    for said in (
        "Acme Support",
        "100001",
        "Contact Center Pro",
        "Pay-per-use",
        "can’t be undone",
        "start today",
        "1 account with",
    ):
        assert said in " ".join(text.split())
    assert not of(installed).is_active


@pytest.mark.parametrize("address", [button, on_account])
def test_a_confirmed_activation_is_done_once(
    address: Callable[[Account], str], installed: Account, member: User, as_member: Client
) -> None:
    answer = as_member.post(address(installed), confirmation(installed), follow=True)
    assert "is active. Full charges started on" in answer.content.decode()
    done = of(installed)
    assert (done.activated_by, done.activated_from, done.reason) == (member, Origin.ADMIN, REASON)
    assert done.history.first().history_user == member
    answer = as_member.post(address(installed), confirmation(installed), follow=True)
    assert "already active since" in answer.content.decode()
    assert (of(installed).activated_at, done.history.count()) == (done.activated_at, 2)
    assert "can be activated" in as_member.get(address(installed)).content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_missing_reason_is_said_at_the_field(reason: str, installed: Account, as_member: Client) -> None:
    answer = as_member.post(button(installed), {**confirmation(installed), "reason": reason})
    assert answer.context["form"].errors.keys() == {"reason"}
    assert not of(installed).is_active


def test_the_address_decides_which_account_not_the_form(
    installed: Account, make_installed: Callable[..., Account], as_member: Client
) -> None:
    other = make_installed("100002")
    as_member.post(button(installed), {**confirmation(other), "despite": ticks(installed, other)})
    assert (of(installed).is_active, of(other).is_active) == (True, False)


def test_many_are_activated_and_those_that_can_not_be_are_listed(
    active: Account, make_installed: Callable[..., Account], member: User, as_member: Client
) -> None:
    ready = [make_installed("100002"), make_installed("100003", edition="cc-elite")]
    shown = as_member.post(f"{LIST}?mode=all", choice(active, *ready))
    text = " ".join(shown.content.decode().split())
    assert "2 accounts with objections" in text
    assert "Account 100001 is already active since March 16, 2026" in text
    assert "Contact Center Elite" in text
    assert not any(of(account).is_active for account in ready)
    chosen = shown.context["form"]["accounts"].value()
    done = as_member.post(CHOSEN, {**confirmation(*ready), "accounts": chosen}, follow=True)
    text = done.content.decode()
    assert "Activated: 2 accounts" in text
    assert "Not activated: 1" in text
    assert "already active since" in text
    assert {of(account).activated_by for account in ready} == {member}
    again = as_member.post(CHOSEN, confirmation(active, *ready), follow=True)
    assert "No accounts were activated" in again.content.decode()
    assert {of(account).history.count() for account in ready} == {2}


def test_all_across_pages_are_activated(make_installed: Callable[..., Account], as_member: Client) -> None:
    accounts = [make_installed(str(200000 + number)) for number in range(60)]
    shown = as_member.post(LIST, choice(accounts[0], select_across="1"))
    assert shown.context["count"] == 60
    keys = shown.context["form"]["accounts"].value()
    values = {**confirmation(*accounts), "accounts": keys, "number": "60"}
    assert as_member.post(CHOSEN, values, follow=True).status_code == 200
    assert Onboarding.objects.active().count() == 60


def test_a_selection_has_more_keys_than_a_form_may_have_fields(installed: Account, as_member: Client) -> None:
    keys = ",".join(map(str, [*range(10**6, 10**6 + 20_000), installed.pk]))
    answer = as_member.post(CHOSEN, {**confirmation(installed), "accounts": keys}, follow=True)
    assert answer.status_code == 200
    assert of(installed).is_active


@pytest.mark.parametrize(
    "keys", ["", "x", "1,,2", "1;2", "-1", "9" * 40, "1" + ",1" * 9, "\0", "٣", "999999999999999999"]
)
def test_forged_keys_are_no_error_page(keys: str, installed: Account, as_member: Client) -> None:
    answer = as_member.post(CHOSEN, {"reason": REASON, "accounts": keys}, follow=True)
    assert answer.status_code == 200
    assert not of(installed).is_active


def test_looking_at_the_address_of_the_form_does_nothing(installed: Account, as_member: Client) -> None:
    answer = as_member.get(CHOSEN, confirmation(installed), follow=True)
    assert "Choose the accounts to activate" in answer.content.decode()
    assert not of(installed).is_active


@pytest.mark.parametrize("who", ["supporter", "biller", "owner", None])
def test_nobody_else_sees_or_forges_an_activation(
    who: str | None, installed: Account, client: Client, request: pytest.FixtureRequest
) -> None:
    if who:
        client.force_login(request.getfixturevalue(who))
    refused = 403 if who in ("supporter", "biller") else 302
    for address in (button(installed), on_account(installed), CHOSEN):
        assert client.get(address).status_code == refused
        assert client.post(address, confirmation(installed)).status_code == refused
    client.post(LIST, choice(installed, reason=REASON))
    client.post(LIST, {**choice(installed), **confirmation(installed)})
    if refused == 403:
        assert "Activate…" not in client.get(LIST).content.decode()
        for page in ("onboarding_onboarding", "accounts_account"):
            row = of(installed) if page.startswith("onb") else installed
            assert "Activate…" not in client.get(reverse(f"admin:{page}_change", args=[row.pk])).content.decode()
    assert not of(installed).is_active
    assert of(installed).history.count() == 1


def test_a_member_who_lost_the_permission_meanwhile_is_refused(
    installed: Account, member: User, as_member: Client
) -> None:
    assert as_member.get(button(installed)).status_code == 200
    member.groups.clear()
    assert as_member.post(button(installed), confirmation(installed)).status_code == 403
    member.user_permissions.add(Permission.objects.get(codename="view_onboarding"))
    assert as_member.post(CHOSEN, confirmation(installed)).status_code == 403
    assert not of(installed).is_active


def test_a_post_without_its_token_is_refused(installed: Account, member: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(member)
    assert careful.post(button(installed), confirmation(installed)).status_code == 403
    assert careful.post(CHOSEN, confirmation(installed)).status_code == 403
    assert not of(installed).is_active


def test_rows_of_the_worklist_are_only_read(installed: Account, member: User, client: Client) -> None:
    member.is_superuser = True
    member.save()
    client.force_login(member)
    row = of(installed)
    forged = {"activated_at_0": "2026-01-01", "activated_at_1": "10:00", "activated_by": member.pk, "reason": "x"}
    forged |= {"scheduled_on": "2026-01-01", "deadline_on": "2026-01-01", "owner": member.pk}
    for name in ("change", "delete"):
        address = reverse(f"admin:onboarding_onboarding_{name}", args=[row.pk])
        assert client.post(address, {**forged, "post": "yes"}).status_code == 403
    assert client.post(reverse("admin:onboarding_onboarding_add"), forged).status_code == 403
    stands = of(installed)
    assert (stands.is_active, stands.scheduled_on, stands.deadline_on, stands.owner) == (False, None, None, None)


def test_the_worklist_shows_accounts_in_onboarding_oldest_first(
    active: Account, make_installed: Callable[..., Account], owner: User, as_member: Client
) -> None:
    now = datetime.now(UTC)
    young = make_installed("100002", now=now - timedelta(days=3))
    old = make_installed("100003", now=now - timedelta(days=71, hours=1))
    request_go_live(young, wanted_on=young.day_of(now) + timedelta(days=5), by=owner)

    def listed(query: str = "") -> list[Account]:
        return [row.account for row in as_member.get(f"{LIST}?{query}").context["cl"].result_list]

    assert listed() == [old, young]
    assert listed("mode=active") == [active]
    assert len(listed("mode=all")) == 3
    assert listed("asked=yes") == [young]
    assert listed("q=100003") == [old]
    text = as_member.get(LIST).content.decode()
    for said in ("71 days", "3 days", "no seats, no users, no numbers", "In onboarding"):
        assert said in text


def test_the_requests_that_wait_are_sorted_by_the_wanted_date(
    make_installed: Callable[..., Account], owner: User, as_member: Client
) -> None:
    wanted = {"100002": 9, "100003": 2, "100004": 5}
    for number, days in wanted.items():
        account = make_installed(number)
        request_go_live(account, wanted_on=account.day_of(datetime.now(UTC)) + timedelta(days=days), by=owner)

    def listed(query: str) -> list[str]:
        address = reverse("admin:onboarding_goliverequest_changelist")
        return [row.account.number for row in as_member.get(f"{address}?{query}").context["cl"].result_list]

    assert listed("state=waiting") == ["100003", "100004", "100002"]
    assert listed("") == ["100002", "100004", "100003"]


@pytest.mark.parametrize(
    ("path", "most"), [("list", 27), ("confirmation", 37)]
)  # the confirmation reads the permission again
def test_queries_do_not_grow_with_the_accounts(
    path: str,
    most: int,
    make_installed: Callable[..., Account],
    as_member: Client,
    django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
) -> None:
    def ask() -> None:
        if path == "list":
            assert as_member.get(LIST).status_code == 200
        else:
            answer = as_member.post(LIST, choice(Account.objects.first(), select_across="1"))
            assert answer.status_code == 200

    make_installed("200001")
    ask()
    with django_assert_max_num_queries(most) as few:
        ask()
    for number in range(12):
        make_installed(str(300000 + number))
    with django_assert_num_queries(len(few)):
        ask()
