"""The page that activates: what speaks against an account is shown and must be ticked, and many must be counted."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from core.clock import database_now
from core.dates import day_in_words
from onboarding import activating
from onboarding.actions import cancel_schedule, request_go_live, schedule_activation, set_deadline, withdraw_go_live
from onboarding.admin.activation import OBJECTIONS
from onboarding.admin.activation.review import Review
from onboarding.models import Onboarding, Origin
from tests.onboarding.test_worklist_list import make_ready
from tests.onboarding.worklist import LIST, Make, keys, of, page, text_of, ticks

ACTIVATE = f"{LIST}activate/"


def later(account: Account, days: int) -> date:
    return account.day_of(database_now()) + timedelta(days=days)


def form(*accounts: Account, despite: Sequence[Account] = (), **values: object) -> dict[str, object]:
    return {"reason": "Agreed", "accounts": keys(*accounts), "despite": ticks(*despite), **values}


def active() -> set[str]:
    return set(Onboarding.objects.active().values_list("account__number", flat=True))


@pytest.fixture
def is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every account is ready."""
    others = [each for each in OBJECTIONS if each.name != "not_ready"]
    monkeypatch.setattr("onboarding.admin.activation.objections.OBJECTIONS", others)


@pytest.fixture
def five(make_installed: Make, member: User, owner: User, is_ready: None) -> dict[str, Account]:
    """An account without objections, one for each objection, and one whose customer asked for today."""
    names = ("clear", "scheduled", "wanted", "extended", "due")
    accounts = {name: make_installed(f"{100002 + place}") for place, name in enumerate(names)}
    schedule_activation(
        accounts["scheduled"], on=later(accounts["scheduled"], 9), reason="They train until then", by=member
    )
    request_go_live(accounts["wanted"], wanted_on=later(accounts["wanted"], 8), note="After the fair", by=owner)
    set_deadline(accounts["extended"], on=later(accounts["extended"], 30), reason="A new building", by=member)
    request_go_live(accounts["due"], wanted_on=later(accounts["due"], 0), note="Today, please", by=owner)
    return accounts


def test_the_page_shows_what_is_planned_and_groups_what_speaks_against_it(
    five: dict[str, Account], team: Client
) -> None:
    answer = team.post(ACTIVATE, {"accounts": keys(*five.values())})
    assert [row.account for row in answer.context["clear"]] == [five["clear"], five["due"]]
    groups = {title: [row.account for row in rows] for title, rows in answer.context["groups"]}
    assert groups == {
        "Activation scheduled": [five["scheduled"]],
        "Customer asked for a later day": [five["wanted"]],
        "Custom or removed deadline": [five["extended"]],
    }
    text = text_of(answer)
    for said in (
        "They train until then",
        "After the fair",
        "Today, please",
        "A new building",
        "2 accounts to activate",
        "3 accounts with objections",
        "<strong>2 accounts</strong> · <strong>$",
        "1 of 4",
    ):
        assert said in text, said
    assert "autofocus" not in text
    assert text.count('name="despite"') == 3


@pytest.mark.parametrize(
    ("policy", "said"), [(0, ["Custom deadline: {}"]), (60, ["Deadline extended to {}"]), (3_000, [])]
)
def test_a_custom_deadline_is_an_extension_only_if_it_is_later_than_the_policys(
    policy: int, said: list[str], five: dict[str, Account], settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = policy
    account = five["extended"]
    review = Review([account.pk], database_now())
    [row] = [*review.clear, *review.objected]
    assert row.against == [words.format(day_in_words(later(account, 30))) for words in said]


def test_those_that_were_not_ticked_are_left_out_and_named(five: dict[str, Account], team: Client) -> None:
    answer = team.post(ACTIVATE, form(*five.values(), despite=[five["wanted"]]), follow=True)
    assert active() == {five[name].number for name in ("clear", "wanted", "due")}
    text = text_of(answer)
    assert "Activated: 3 accounts" in text
    assert "Left out, still in onboarding: 2" in text
    assert "Activation scheduled for" in text
    assert "Custom deadline: " in text


def test_a_single_account_is_ticked_too(five: dict[str, Account], team: Client) -> None:
    account = five["wanted"]
    address = page(account, "activate_one")
    assert "After the fair" in text_of(team.get(address))
    answer = team.post(address, form(account))
    assert answer.context["form"].errors == {"despite": ["Select at least one account to activate."]}
    assert active() == set()
    answer = team.post(address, form(account, despite=[account]), follow=True)
    assert "is active. Full charges started on" in text_of(answer)
    assert active() == {account.number}


def test_a_single_account_without_objections_needs_none(five: dict[str, Account], team: Client) -> None:
    account = five["clear"]
    assert f"Activate {account}" in text_of(team.get(page(account, "activate_one")))
    team.post(page(account, "activate_one"), form(account))
    assert (active(), of(account).activated_from) == ({account.number}, Origin.ADMIN)


def test_an_account_that_is_not_ready_says_what_it_lacks(make_installed: Make, owner: User, team: Client) -> None:
    account = make_installed("100002")
    answer = team.post(ACTIVATE, {"accounts": keys(account)})
    [(title, [row])] = answer.context["groups"]
    assert (title, row.against) == ("Not ready", ["Not ready: no seats, no users, no numbers"])
    assert not row.is_ticked
    make_ready(account, owner)
    assert [row.account for row in team.post(ACTIVATE, {"accounts": keys(account)}).context["clear"]] == [account]


def test_what_was_ticked_stays_ticked_when_the_form_has_errors(make_installed: Make, team: Client) -> None:
    account = make_installed("100002")
    answer = team.post(ACTIVATE, form(account, despite=[account], reason=""))
    [(_, [row])] = answer.context["groups"]
    assert row.is_ticked
    assert "Nothing was activated. Fix the errors below." in text_of(answer)


def test_what_changes_before_the_form_is_sent_counts(
    five: dict[str, Account], owner: User, member: User, team: Client
) -> None:
    withdraw_go_live(five["wanted"], by=owner)
    set_deadline(five["clear"], on=later(five["clear"], 30), reason="Just now", by=member)
    answer = team.post(ACTIVATE, form(five["clear"], five["wanted"]), follow=True)
    assert active() == {five["wanted"].number}
    assert "Left out, still in onboarding: 1" in text_of(answer)


def test_what_is_planned_when_the_account_is_locked_counts_too(
    five: dict[str, Account], member: User, team: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checkpoint(name: str) -> None:
        if name == "after lock" and not of(five["clear"]).scheduled_on:
            schedule_activation(five["clear"], on=later(five["clear"], 9), reason="Just now", by=member)

    monkeypatch.setattr(activating, "checkpoint", checkpoint)
    answer = team.post(ACTIVATE, form(five["clear"], five["due"]), follow=True)
    assert active() == {five["due"].number}
    assert "Left out, still in onboarding: 1" in text_of(answer)


def test_of_a_single_account_too(
    five: dict[str, Account], member: User, team: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = five["clear"]

    class Late(Review):
        """What a colleague does after the page has looked at the account."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            if not of(account).scheduled_on:
                schedule_activation(account, on=later(account, 9), reason="Just now", by=member)

    monkeypatch.setattr("onboarding.admin.activation.pages.Review", Late)
    answer = team.post(page(account, "activate_one"), form(account, reason="Ticket 4711"))
    [said] = answer.context["form"].non_field_errors()
    assert said.startswith("Activation scheduled for")
    assert said.endswith("Confirm that you want to activate it anyway.")
    assert [(title, [row.account for row in rows]) for title, rows in answer.context["groups"]] == [
        ("Activation scheduled", [account])
    ]
    assert "Ticket 4711</textarea>" in text_of(answer)
    assert active() == set()
    team.post(page(account, "activate_one"), form(account, despite=[account]))
    assert active() == {account.number}


def test_a_tick_is_only_for_the_objections_that_were_shown(
    five: dict[str, Account], owner: User, member: User, team: Client
) -> None:
    """A colleague schedules one, and the customer of another asks for a later day, before the form is sent."""
    both = five["extended"], five["scheduled"]
    sent = form(*both, despite=both)
    schedule_activation(both[0], on=later(both[0], 28), reason="In December", by=member)
    request_go_live(both[1], wanted_on=later(both[1], 8), note="Later", by=owner)
    answer = team.post(ACTIVATE, {**sent, "reason": ""})
    assert [row.is_ticked for _, rows in answer.context["groups"] for row in rows] == [False, False]
    assert "checked" not in text_of(answer)
    assert answer.context["form"].errors.keys() == {"reason", "despite"}
    answer = team.post(ACTIVATE, {**form(*both, five["clear"]), "despite": sent["despite"]}, follow=True)
    assert active() == {five["clear"].number}
    assert "Left out, still in onboarding: 2" in text_of(answer)
    team.post(ACTIVATE, form(*both, despite=both))
    assert active() == {five[name].number for name in ("clear", "extended", "scheduled")}


def test_a_tick_is_only_for_what_was_shown_when_the_account_is_locked_too(
    five: dict[str, Account], member: User, team: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = five["extended"], five["wanted"]

    def checkpoint(name: str) -> None:
        if name == "after lock" and not of(both[0]).scheduled_on:
            schedule_activation(both[0], on=later(both[0], 28), reason="In December", by=member)

    monkeypatch.setattr(activating, "checkpoint", checkpoint)
    answer = team.post(ACTIVATE, form(*both, despite=both), follow=True)
    assert active() == {both[1].number}
    assert "Left out, still in onboarding: 1" in text_of(answer)


def test_an_objection_that_is_gone_leaves_the_tick(five: dict[str, Account], member: User, team: Client) -> None:
    account = five["extended"]
    schedule_activation(account, on=later(account, 28), reason="In December", by=member)
    sent = form(account, despite=[account])
    cancel_schedule(account, by=member)
    team.post(page(account, "activate_one"), sent)
    assert active() == {account.number}


@pytest.mark.parametrize("despite", [["x"], ["-1"], ["7"], ["9" * 40 + ":"], ["\0"], ["٣:"], ["1,2"], ["1:A"]])
def test_forged_ticks_are_refused_in_words(despite: list[str], five: dict[str, Account], team: Client) -> None:
    answer = team.post(ACTIVATE, {**form(five["wanted"]), "despite": despite})
    assert answer.context["form"].errors == {"despite": ["The selected accounts can't be read. Select them again."]}
    assert active() == set()


def test_ticks_of_accounts_that_were_not_chosen_are_nothing(five: dict[str, Account], team: Client) -> None:
    team.post(ACTIVATE, form(five["clear"], despite=[five["wanted"], five["clear"]]), follow=True)
    assert active() == {five["clear"].number}


@pytest.fixture
def many(make_installed: Make, is_ready: None) -> list[Account]:
    """21 accounts without objections."""
    return [make_installed(str(200000 + number)) for number in range(21)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "To activate 21 accounts, type 21 here."),
        ("20", "You typed 20, but 21 accounts would be activated. Check the list. To activate 21 accounts, type 21"),
        ("all", "You typed all, but 21 accounts would be activated."),
        ("٢١", "You typed ٢١, but 21 accounts would be activated."),
        ("2" * 30, "at most 20 characters"),
    ],
)
def test_above_twenty_their_number_must_be_typed(typed: str, said: str, many: list[Account], team: Client) -> None:
    assert 'name="number"' in text_of(team.post(ACTIVATE, {"accounts": keys(*many)}))
    answer = team.post(ACTIVATE, form(*many, number=typed))
    [error] = answer.context["form"].errors["number"]
    assert said in error
    assert active() == set()


@pytest.mark.parametrize("typed", ["21", " 21 ", "2,1"])
def test_the_typed_number_activates_them(typed: str, many: list[Account], team: Client) -> None:
    team.post(ACTIVATE, form(*many, number=typed))
    assert len(active()) == 21


def test_up_to_twenty_need_no_number(many: list[Account], team: Client) -> None:
    assert 'name="number"' not in text_of(team.post(ACTIVATE, {"accounts": keys(*many[:20])}))
    team.post(ACTIVATE, form(*many[:20]))
    assert len(active()) == 20


def test_the_number_counts_what_is_ticked_and_not_what_is_left_out(
    many: list[Account], member: User, team: Client
) -> None:
    for account in many[:2]:
        schedule_activation(account, on=later(account, 9), reason="Agreed", by=member)
    assert team.post(ACTIVATE, form(*many, despite=many[:2])).context["form"].errors.keys() == {"number"}
    assert team.post(ACTIVATE, form(*many, despite=many[:1], number="")).status_code == 302
    assert len(active()) == 20


def test_the_cap_of_the_day_is_shown_and_held_but_not_for_administrators(
    five: dict[str, Account], root: User, team: Client, client: Client, settings: Any
) -> None:
    settings.ONBOARDING_ACTIVATIONS_A_DAY = 1
    both = five["clear"], five["due"]
    said = "Only 1 more account can be activated today: the limit is 1 a day (UTC)"
    assert said in text_of(team.post(ACTIVATE, {"accounts": keys(*both)}))
    answer = team.post(ACTIVATE, form(*both))
    assert said in answer.context["form"].non_field_errors()[0]
    assert active() == set()
    assert "limit" not in text_of(team.post(ACTIVATE, {"accounts": keys(both[0])}))
    team.post(ACTIVATE, form(both[0]))
    answer = team.post(page(both[1], "activate_one"), form(both[1], reason="Ticket 4711"))
    assert "No more accounts can be activated today" in answer.context["form"].non_field_errors()[0]
    assert "Ticket 4711</textarea>" in text_of(answer)
    assert active() == {both[0].number}
    client.force_login(root)
    assert "As an administrator, you may do that" in text_of(client.post(ACTIVATE, {"accounts": keys(both[1])}))
    client.post(ACTIVATE, form(both[1]))
    assert active() == {each.number for each in both}


def test_the_cap_counts_what_is_activated_and_what_could_be_is_a_note(
    five: dict[str, Account], root: User, team: Client, client: Client, settings: Any
) -> None:
    """Two of the five have no objections."""
    note = "You can activate up to {} of these accounts today: the limit is {} a day (UTC)."
    none, too_many = "No more accounts can be activated today", "Only 1 more account can be activated today"
    chosen, objected = keys(*five.values()), keys(five["wanted"])
    for limit, accounts, said in (
        (1, chosen, too_many),
        (2, chosen, note.format(2, 2)),
        (4, chosen, note.format(4, 4)),
        (5, chosen, ""),
        (1, objected, ""),
    ):
        settings.ONBOARDING_ACTIVATIONS_A_DAY = limit
        assert team.post(ACTIVATE, {"accounts": accounts}).context["cap"][: len(said) or None] == said
    settings.ONBOARDING_ACTIVATIONS_A_DAY = 2
    ticked = {**form(*five.values(), despite=[five["wanted"]]), "reason": ""}
    assert team.post(ACTIVATE, ticked).context["cap"].startswith("Only 2 more accounts can be activated today")
    team.post(ACTIVATE, form(five["clear"], five["due"]))
    assert team.post(ACTIVATE, {"accounts": objected}).context["cap"].startswith(none)
    client.force_login(root)
    may_exceed = "As an administrator, you may exceed the limit of 2 a day (UTC)."
    assert client.post(ACTIVATE, {"accounts": objected}).context["cap"] == may_exceed


def test_more_than_can_be_ticked_stay_in_onboarding_and_are_named(
    make_installed: Make, team: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.admin.activation.review.MOST_TICKED", 2)
    accounts = [make_installed(str(200000 + number)) for number in range(4)]
    answer = team.post(ACTIVATE, {"accounts": keys(*accounts)})
    text = text_of(answer)
    assert text.count('name="despite"') == 2
    assert "2 more with objections stay in onboarding" in text
    assert accounts[3].number in text


def test_nobody_is_asked_about_accounts_that_can_not_be_activated(active: Account, team: Client) -> None:
    text = text_of(team.post(ACTIVATE, {"accounts": keys(active)}))
    assert "None of these accounts can be activated." in text
    assert 'name="reason"' not in text
    [_, inside] = text.split('<form method="post" class="activation')
    assert 'type="submit"' not in inside.partition("</form>")[0]
    answer = team.post(ACTIVATE, form(active), follow=True)
    [said] = [str(each) for each in answer.context["messages"]]
    assert "is already active since March 16, 2026" in said


@pytest.mark.parametrize("posted", [False, True])
def test_queries_do_not_grow_with_objections(
    posted: bool,
    five: dict[str, Account],
    make_installed: Make,
    member: User,
    team: Client,
    django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:
    def ask(*accounts: Account) -> None:
        values = {"reason": ""} if posted else {}
        assert team.post(ACTIVATE, {"accounts": keys(*accounts), **values}).status_code == 200

    ask(*five.values())
    with django_assert_max_num_queries(34) as few:
        ask(*five.values())
    more = [make_installed(str(300000 + number)) for number in range(6)]
    for account in more[:3]:
        schedule_activation(account, on=later(account, 9), reason="Agreed", by=member)
    with django_assert_num_queries(len(few)):
        ask(*five.values(), *more)
