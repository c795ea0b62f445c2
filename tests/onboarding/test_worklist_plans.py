"""Plans in the admin, for one account or many: confirmation, permissions, results per row, and refusals."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Account, Refusal, User
from core.clock import database_now
from onboarding.actions import request_go_live, schedule_activation
from onboarding.models import DeadlineRule, GoLiveRequest, Note, Notice, NoticeKind
from tests.onboarding.worklist import LIST, Make, keys, of, page, text_of

ONE = ["owner", "deadline", "no-deadline", "policy", "schedule", "cancel-schedule", "note", "answer"]
MANY = ["owner", "deadline", "schedule"]
VERBS = dict(
    zip(
        ONE,
        [
            *("assign_owner", "set_deadline", "remove_deadline", "follow_policy"),
            *("schedule_activation", "cancel_schedule", "write_note", "answer_go_live"),
        ],
        strict=True,
    )
)


def later(account: Account, days: int) -> date:
    return account.day_of(database_now()) + timedelta(days=days)


def posted(*accounts: Account, **values: object) -> dict[str, object]:
    return {"confirmed": "yes", "accounts": keys(*accounts), **values}


def values_of(name: str, account: Account, member: User) -> dict[str, object]:
    day = later(account, 30).isoformat()
    return {
        "owner": {"owner": member.pk},
        "deadline": {"on": day, "reason": "They asked"},
        "no-deadline": {"reason": "A big one"},
        "schedule": {"on": day, "reason": "Agreed"},
        "note": {"text": "Called."},
        "answer": {"answer": "On Monday."},
    }.get(name, {})


@pytest.fixture
def asking(installed: Account, owner: User) -> Account:
    request_go_live(installed, wanted_on=later(installed, 5), note="Please!", by=owner)
    return installed


def test_an_owner_is_assigned_and_taken_away(installed: Account, member: User, biller: User, team: Client) -> None:
    shown = team.get(page(installed, "owner"))
    assert [user.pk for user in shown.context["form"].fields["owner"].queryset] == [member.pk]
    answer = team.post(page(installed, "owner"), posted(installed, owner=member.pk), follow=True)
    assert "The owner was assigned: Acme Support (100001)." in text_of(answer)
    assert of(installed).owner == member
    assert of(installed).history.first().history_user == member
    again = team.post(page(installed, "owner"), posted(installed, owner=member.pk), follow=True)
    assert "looks after account 100001 already" in text_of(again)
    refused = team.post(page(installed, "owner"), posted(installed, owner=biller.pk))
    assert refused.context["form"].errors.keys() == {"owner"}
    team.post(page(installed, "owner"), posted(installed, owner=""))
    assert of(installed).owner is None


@pytest.mark.parametrize(("policy", "told"), [(60, 3), (0, 2)])  # without a policy, the last step changes no deadline
def test_a_deadline_is_set_removed_and_follows_the_policy_again(
    policy: int, told: int, installed: Account, team: Client, settings: Any
) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = policy
    day = later(installed, 40)
    team.post(page(installed, "deadline"), posted(installed, on=day.isoformat(), reason="They train until May"))
    row = of(installed)
    assert (row.deadline_rule, row.deadline_on) == (DeadlineRule.FIXED, day)
    assert team.get(page(installed, "deadline")).context["form"]["on"].value() == day
    team.post(page(installed, "no-deadline"), posted(installed, reason="A big one"))
    assert (of(installed).deadline_rule, of(installed).deadline_reason) == (DeadlineRule.NONE, "A big one")
    team.post(page(installed, "policy"), posted(installed))
    assert of(installed).deadline_rule == DeadlineRule.POLICY
    assert Notice.objects.filter(account=installed, kind=NoticeKind.EXTENDED).count() == told


@pytest.mark.parametrize("policy", [0, 60])
def test_only_what_changes_something_is_offered(policy: int, installed: Account, team: Client, settings: Any) -> None:
    settings.ONBOARDING_DEADLINE_DAYS = policy

    def offered() -> set[str]:
        text = text_of(team.get(page(installed)))
        return {name for name in ("Set a deadline…", "Extend…", "No deadline…", "Follow the policy…") if name in text}

    assert offered() == ({"Extend…", "No deadline…"} if policy else {"Set a deadline…"})
    team.post(page(installed, "deadline"), posted(installed, on=later(installed, 40).isoformat(), reason="Agreed"))
    assert offered() == {"Extend…", "No deadline…", "Follow the policy…"}
    team.post(page(installed, "no-deadline"), posted(installed, reason="A big one"))
    assert offered() == {"Set a deadline…", "Follow the policy…"}


def test_a_schedule_is_made_moved_and_cancelled(installed: Account, member: User, team: Client) -> None:
    for days in (10, 20):
        team.post(
            page(installed, "schedule"), posted(installed, on=later(installed, days).isoformat(), reason="Agreed")
        )
        assert (of(installed).scheduled_on, of(installed).scheduled_by) == (later(installed, days), member)
    team.post(page(installed, "cancel-schedule"), posted(installed))
    assert of(installed).scheduled_on is None
    again = team.post(page(installed, "cancel-schedule"), posted(installed))
    assert "No activation is scheduled" in text_of(again)
    assert not of(installed).is_active


def test_a_note_is_kept_and_an_active_account_may_have_one_too(active: Account, member: User, team: Client) -> None:
    answer = team.post(page(active, "note"), posted(active, text="  Called, all well. "), follow=True)
    note = Note.objects.get(account=active)
    assert (note.text, note.written_by) == ("Called, all well.", member)
    assert "Called, all well." in text_of(answer)


def test_a_request_is_answered_in_words(asking: Account, member: User, team: Client) -> None:
    assert "Please!" in text_of(team.get(page(asking)))
    team.post(page(asking, "answer"), posted(asking, answer="On Monday."))
    request = GoLiveRequest.objects.get(account=asking)
    assert (request.answer, request.answered_by) == ("On Monday.", member)
    assert "There is no request to answer" in text_of(team.post(page(asking, "answer"), posted(asking, answer="Yes")))


@pytest.mark.parametrize("name", ONE)
def test_a_form_is_shown_on_get_and_nothing_is_done(name: str, asking: Account, member: User, team: Client) -> None:
    schedule_activation(asking, on=later(asking, 9), reason="Agreed", by=member)
    before = of(asking).history.count()
    values = values_of(name, asking, member)
    assert team.get(page(asking, name), posted(asking, **values)).status_code == 200
    assert team.post(page(asking, name), values).status_code == 200  # not confirmed
    assert of(asking).history.count() == before
    assert not Note.objects.exists()
    assert GoLiveRequest.objects.open().exists()


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("deadline", {"on": "2020-01-01", "reason": "x"}, "on"),
        ("deadline", {"on": "nonsense", "reason": "x"}, "on"),
        ("deadline", {"on": "2999-01-01", "reason": "x"}, "on"),
        ("schedule", {"on": "2020-01-01", "reason": "x"}, "on"),
        ("schedule", {"on": "", "reason": "x"}, "on"),
        ("no-deadline", {"reason": "  "}, "reason"),
        ("no-deadline", {"reason": "x\0"}, "reason"),
        ("note", {"text": ""}, "text"),
        ("note", {"text": "x" * 4_001}, "text"),
        ("answer", {"answer": ""}, "answer"),
        ("owner", {"owner": "x"}, "owner"),
    ],
)
def test_what_is_refused_is_said_at_the_field(
    name: str, values: dict[str, str], field: str, asking: Account, team: Client
) -> None:
    before = of(asking).history.count()
    answer = team.post(page(asking, name), posted(asking, **values))
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {field}
    assert of(asking).history.count() == before
    assert not Note.objects.exists()


def test_a_blackout_date_is_refused_in_words(installed: Account, team: Client, settings: Any) -> None:
    day = later(installed, 12)
    settings.ONBOARDING_BLACKOUT_DATES = frozenset([day])
    answer = team.post(page(installed, "schedule"), posted(installed, on=day.isoformat(), reason="Agreed"))
    assert "it is a blackout date" in text_of(answer)
    assert Refusal.objects.get(account=installed).rule == "blackout_date"


def test_many_are_planned_and_those_that_can_not_be_are_listed(
    active: Account, make_installed: Make, member: User, team: Client
) -> None:
    ready = [make_installed("100002"), make_installed("100003")]
    chosen = [of(account).pk for account in (active, *ready)]
    shown = team.post(f"{LIST}?mode=all", {"action": "owner_selected", "_selected_action": chosen})
    text = text_of(shown)
    assert "2 accounts" in text
    assert "already active since" in text
    assert all(of(account).owner is None for account in ready)
    there = f"{LIST}owner/"
    assert f'action="{there}"' in text
    done = team.post(there, posted(active, *ready, owner=member.pk), follow=True)
    text = text_of(done)
    assert "The owner was assigned: 2 accounts" in text
    assert "Not changed: 1" in text
    assert "already active since" in text
    assert {of(account).owner for account in ready} == {member}
    assert of(active).owner is None


@pytest.mark.parametrize("name", MANY)
def test_all_across_pages_are_planned_for(name: str, make_installed: Make, member: User, team: Client) -> None:
    accounts = [make_installed(str(200000 + number)) for number in range(60)]
    choice = {"action": f"{name}_selected", "_selected_action": [of(accounts[0]).pk], "select_across": "1"}
    shown = team.post(LIST, choice)
    assert shown.context["count"] == 60
    values = values_of(name, accounts[0], member)
    answer = team.post(
        f"{LIST}{name}/",
        {"confirmed": "yes", "accounts": shown.context["form"]["accounts"].value(), **values},
        follow=True,
    )
    assert "60 accounts" in text_of(answer)
    changed = {of(account).history.count() for account in accounts}
    assert changed == {2}


def test_of_many_each_is_told_its_own_reason_while_the_others_proceed(
    make_installed: Make, make_account: Callable[..., Account], active: Account, team: Client
) -> None:
    ready, bare = make_installed("100002"), make_account("100003")
    day = later(ready, 30).isoformat()
    unknown = 10**9
    answer = team.post(
        f"{LIST}deadline/",
        {**posted(ready, bare, active, on=day, reason="x"), "accounts": f"{keys(ready, bare, active)},{unknown}"},
        follow=True,
    )
    text = text_of(answer)
    assert "The deadline was set: 1 account" in text
    assert "Not changed: 3" in text
    for said in ("not installed on account 100003", "Account 100001 is already active", "There is no such account"):
        assert said in text, said
    assert str(of(ready).deadline_on) == day
    assert Refusal.objects.get(account=bare).action == "set_deadline"


def test_a_selection_has_more_keys_than_a_form_may_have_fields(installed: Account, member: User, team: Client) -> None:
    many = ",".join(map(str, [*range(10**6, 10**6 + 20_000), installed.pk]))
    answer = team.post(f"{LIST}owner/", {"confirmed": "yes", "accounts": many, "owner": member.pk}, follow=True)
    assert answer.status_code == 200
    assert of(installed).owner == member


@pytest.mark.parametrize("forged", ["", "x", "1,,2", "-1", "9" * 40, "1" + ",1" * 9, "\0", "999999999999999999"])
@pytest.mark.parametrize("name", MANY)
def test_forged_keys_are_no_error_page(name: str, forged: str, installed: Account, member: User, team: Client) -> None:
    values = {"confirmed": "yes", "accounts": forged, **values_of(name, installed, member)}
    assert team.post(f"{LIST}{name}/", values, follow=True).status_code == 200
    assert team.get(f"{LIST}{name}/", follow=True).status_code == 200
    assert of(installed).history.count() == 1


def test_the_address_decides_which_account_not_the_form(installed: Account, make_installed: Make, team: Client) -> None:
    other = make_installed("100002")
    team.post(page(installed, "note"), posted(other, text="Here"))
    assert Note.objects.get().account == installed


@pytest.mark.parametrize("who", ["supporter", "biller"])
@pytest.mark.parametrize("name", ONE)
def test_who_may_not_plan_is_denied_and_it_is_recorded(
    name: str, who: str, asking: Account, client: Client, request: pytest.FixtureRequest
) -> None:
    by = request.getfixturevalue(who)
    client.force_login(by)
    before = of(asking).history.count()
    values = posted(asking, **values_of(name, asking, by))
    assert client.get(page(asking, name)).status_code == 403
    assert not Refusal.objects.exists()
    assert client.post(page(asking, name), values).status_code == 403
    refusal = Refusal.objects.get()
    assert (refusal.account, refusal.by, refusal.rule) == (asking, by, "permission_denied")
    assert refusal.action == VERBS[name]
    if name in MANY:
        assert client.post(f"{LIST}{name}/", values).status_code == 403
        choice = {"action": f"{name}_selected", "_selected_action": [of(asking).pk]}
        assert client.post(LIST, choice).status_code == 403
        tried = set(Refusal.objects.values_list("action", "tried"))
        assert {(VERBS[name], keys(asking)), (VERBS[name], f"{name}_selected")} <= tried
    assert of(asking).history.count() == before
    assert not Note.objects.exists()
    assert GoLiveRequest.objects.open().exists()


@pytest.mark.parametrize("name", ONE)
def test_visitors_and_customers_get_the_log_in(name: str, asking: Account, owner: User, client: Client) -> None:
    for _ in range(2):
        assert client.post(page(asking, name), posted(asking)).status_code == 302
        client.force_login(owner)


def test_who_may_plan_but_not_activate_can_not_schedule(installed: Account, supporter: User, client: Client) -> None:
    supporter.user_permissions.add(Permission.objects.get(codename="change_onboarding"))
    client.force_login(supporter)
    text = text_of(client.get(page(installed)))
    assert "Set a deadline…" in text
    assert "Schedule…" not in text
    assert "Activate…" not in text
    assert client.post(page(installed, "schedule"), posted(installed)).status_code == 403
    assert client.post(page(installed, "note"), posted(installed, text="Seen"), follow=True).status_code == 200
    assert Note.objects.get().written_by == supporter


def test_a_post_without_its_token_is_refused(installed: Account, member: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(member)
    assert careful.post(page(installed, "note"), posted(installed, text="x")).status_code == 403
    assert careful.post(f"{LIST}owner/", posted(installed, owner=member.pk)).status_code == 403
    assert not Note.objects.exists()


@pytest.mark.parametrize("key", ["x", "0", "-1", "9" * 30])
@pytest.mark.parametrize("name", ONE)
def test_an_address_without_an_account_answers_404(name: str, key: str, team: Client) -> None:
    assert team.get(f"{LIST}{key}/{name}/").status_code == 404


@pytest.mark.parametrize("who", ["supporter", "biller"])
def test_a_forged_activation_leaves_a_refusal(
    who: str, installed: Account, client: Client, request: pytest.FixtureRequest
) -> None:
    by = request.getfixturevalue(who)
    client.force_login(by)
    assert client.post(page(installed, "activate_one"), {"reason": "x"}).status_code == 403
    assert (Refusal.objects.get().account, Refusal.objects.get().by) == (installed, by)
    assert client.post(page(installed, "change"), {"reason": "x"}).status_code == 403
    assert Refusal.objects.filter(account=installed).count() == 2
    assert not of(installed).is_active
