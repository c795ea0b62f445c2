"""The action under which each refusal is recorded, from any page, and which refusals customers can read."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from accounts.acting import RecordedDenial, record_refusals
from accounts.events import EventKind, Wanted, events_of, recent_events
from accounts.models import Account, Contact, Refusal, Role, User
from accounts.verbs import (
    BACK_OFFICE,
    OPEN_PAGE,
    customers_verbs,
    former_names,
    hidden_from_customers,
    is_verb,
)
from config.denials import record_denial
from core.verbs import verb_of
from onboarding.timeline import timeline
from tests.policy_references import APPS

LOG = "/accounts/100001/audit-log/"
OF_THE_SITE = {"login", "logout", "jsi18n", "index", "password_change", "password_change_done", "autocomplete"}


def patterns(of: Any = None) -> Iterator[URLPattern]:
    for each in (of or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each)
        elif isinstance(each, URLPattern):
            yield each


def of_customers() -> dict[str, URLPattern]:
    """Return the URL patterns of an account's pages, by name."""
    return {
        each.name: each for each in patterns() if each.name and str(each.pattern).startswith("accounts/<str:number>")
    }


def of_the_admin() -> list[URLPattern]:
    [resolver] = [
        each for each in get_resolver().url_patterns if isinstance(each, URLResolver) and each.app_name == "admin"
    ]
    return [each for each in patterns(resolver) if each.name and each.name not in OF_THE_SITE]


def test_all_that_says_what_it_stands_for_names_a_verb() -> None:
    found = {verb_of(page.callback) for page in patterns()}  # this loads every module
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in APPS]
    found |= {verb_of(value) for module in modules for value in vars(module).values() if callable(value)}
    found -= {""}
    assert {"install", "activate", "withdraw_go_live", OPEN_PAGE} <= found
    assert {verb for verb in found if not is_verb(verb)} == set()


def test_a_verb_is_either_for_customers_or_hidden_from_them() -> None:
    assert not customers_verbs().keys() & hidden_from_customers().keys()
    assert {name for name in former_names() if is_verb(name)} == set()
    assert {verb for verb in former_names().values() if not is_verb(verb)} == set()


def test_nothing_is_recorded_under_the_name_of_a_view(account: Account, owner: User) -> None:
    with pytest.raises(AssertionError, match="import_page is in no app's VERBS"):
        record_refusals(account, owner, "import_page", ValidationError("No.", code="no"))
    assert not Refusal.objects.exists()


@pytest.mark.parametrize("role", [Role.BILLING, Role.TECHNICAL, Role.VIEWER])
def test_a_page_that_a_role_may_not_post_is_recorded_under_its_verb(
    role: Role, installed: Account, owner: User, client: Client
) -> None:
    Contact.objects.filter(user=owner).update(role=role)
    client.force_login(owner)
    denied = {}
    for name, page in of_customers().items():
        numbers: dict[str, object] = {key: 1 for key in ("invoice", "note") if f"<int:{key}>" in str(page.pattern)}
        numbers |= {"day": "2026-03-20"} if "<str:day>" in str(page.pattern) else {}
        before = Refusal.objects.count()
        if client.post(reverse(name, kwargs={"number": installed.number, **numbers})).status_code == 403:
            [refusal] = Refusal.objects.order_by("pk")[before:]
            assert (refusal.account, refusal.by, refusal.rule) == (installed, owner, "permission_denied")
            denied[name] = refusal.action
    assert denied, "the role may post all pages"
    assert set(denied.values()) <= customers_verbs().keys()
    expected = {
        Role.BILLING: {"import_users": "import_people", "confirm_import": "import_people", "contact_center": OPEN_PAGE},
        Role.TECHNICAL: {"audit_log": OPEN_PAGE, "audit_log_csv": OPEN_PAGE, "invoice": OPEN_PAGE},
        Role.VIEWER: {"confirm_subscription": "change_subscription", "withdraw_go_live": "withdraw_go_live"},
    }
    assert expected[role].items() <= denied.items()


def address_of(page: URLPattern) -> str | None:
    """Return a URL of the page, for the first row if the page is about a row, or None if there is no row."""
    models = [(f"{each.opts.app_label}_{each.opts.model_name}_", each.model) for each in admin.site._registry.values()]
    row = next((model._base_manager.first() for name, model in models if str(page.name).startswith(name)), None)
    needed = page.pattern.regex.groups
    keys = [row.pk, 1][:needed] if row else []
    return reverse(f"admin:{page.name}", args=keys) if len(keys) == needed else None


def test_each_page_of_the_admin_that_is_denied_is_recorded_under_a_verb_of_the_team(
    everything: None, installed: Account, make_user: Callable[..., User], client: Client
) -> None:
    staff = make_user("nobody@example.com", is_staff=True, first_name="Ned", last_name="Nobody")
    client.force_login(staff)
    before = set(Refusal.objects.values_list("pk", flat=True))
    denied = {}
    for page in of_the_admin():
        address = address_of(page)
        if address and client.post(address).status_code == 403:
            denied[page.name] = Refusal.objects.latest("pk").action
    for model_admin in admin.site._registry.values():
        for asked in model_admin.actions or ():
            address = reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist")
            if isinstance(asked, str) and client.post(address, {"action": asked}).status_code == 403:
                denied[f"{address} {asked}"] = Refusal.objects.latest("pk").action
    assert len(denied) > 60
    left = Refusal.objects.exclude(pk__in=before)
    assert left.count() == len(denied)
    assert set(left.values_list("by", "rule")) == {(staff.pk, "permission_denied")}
    assert set(denied.values()) <= hidden_from_customers().keys()
    worklist = reverse("admin:onboarding_onboarding_changelist")
    assert {
        "onboarding_activate": "activate",
        "accounts_account_activate_account": "activate",
        "onboarding_onboarding_activate_one": "activate",
        "onboarding_onboarding_owner": "assign_owner",
        "onboarding_onboarding_no-deadline": "remove_deadline",
        "onboarding_schedule": "schedule_activation",
        "accounts_account_correct_timezone": "correct_timezone",
        "billing_callimport_import_calls": "import_calls",
        "billing_callrecord_void_record": "void_calls",
        "billing_invoice_give_money_back": "issue_credit_note",
        "onboarding_notice_send_one_again": "send_again",
        "accounts_account_change": BACK_OFFICE,
        "core_job_try_again": BACK_OFFICE,
        f"{worklist} deadline_selected": "set_deadline",
    }.items() <= denied.items()
    assert left.filter(action=BACK_OFFICE, tried=reverse("admin:accounts_account_add")).exists()
    assert not Refusal.objects.for_customers(installed).filter(by=staff).exists()


def test_what_an_action_denied_is_not_recorded_again_by_the_page(member: User, rf: RequestFactory) -> None:
    request = rf.post(reverse("admin:accounts_account_add"))
    request.user, request.resolver_match = member, resolve(request.path)
    record_denial(request, RecordedDenial("No."))
    assert not Refusal.objects.exists()
    record_denial(request, PermissionDenied("No."))
    assert Refusal.objects.get().message == "No."


def refused(account: Account, by: User | None, verb: str, words: str = "No.") -> Refusal:
    return Refusal.objects.create(account=account, by=by, action=verb, rule="x", message=words)


def test_customers_read_what_their_own_people_tried_and_nothing_of_staff(
    installed: Account, owner: User, member: User, make_user: Callable[..., User], client: Client
) -> None:
    both, gone = (make_user(f"{name}@example.com", is_staff=True, first_name=name.title()) for name in ("zoe", "gus"))
    Contact.objects.create(account=installed, user=both, role=Role.VIEWER)
    left = make_user("lea@example.com", first_name="Lea", last_name="Left")
    Contact.objects.create(account=installed, user=left, role=Role.VIEWER).delete()
    member.first_name, member.last_name = "Tom", "Team"
    member.save()
    for number, by in enumerate([member, both, gone, User.objects.system_member(), None]):
        for verb in ("install", "set_deadline", "onboarding_onboarding_owner"):
            refused(installed, by, verb, f"Secret {number}: ask Tom Team.")
    gone.is_staff = gone.is_active = False
    gone.save()
    refused(installed, owner, "activate", "Secret: of a verb that only the team has.")
    mine = [refused(installed, owner, "install", "Mine."), refused(installed, left, "import_page", "Hers.")]
    assert set(Refusal.objects.for_customers(installed)) == set(mine)
    client.force_login(owner)
    pages = {address: client.get(address) for address in ("/accounts/100001/", LOG, LOG + "csv/")}
    for address, page in pages.items():
        assert page.status_code == 200
        text = page.content.decode()
        assert [word for word in ("Mine.", "Hers.") if word not in text] == [], address
        for word in ("Secret", "Tom", "Zoe", "Gus", "deadline", "activate", "owner"):
            assert word not in text.replace("Account Owner", ""), (address, word)
    shown = client.get(LOG + "?kind=refused").context["events"]
    assert {(event.who, event.action) for event in shown} == {
        ("Olivia Owner", "Install Contact Center"),
        ("Lea Left", "Import people"),
    }


def test_the_team_reads_on_its_own_page_what_staff_tried_too(installed: Account, member: User, owner: User) -> None:
    refused(installed, member, "set_deadline", "Too far away.")
    refused(installed, member, "onboarding_onboarding_owner", "Not the team.")
    assert [event.kind for event in recent_events(installed, 10) if event.kind == EventKind.REFUSED] == []
    told = {(moment.what, moment.who, moment.more) for moment in timeline(installed, 10)}
    assert {
        ("Refused: Set a deadline", "tom@example.com", "Too far away."),
        ("Refused: Assign an owner", "tom@example.com", "Not the team."),
    } <= told


@pytest.mark.parametrize("recorded", ["onboarding_onboarding_owner", "import_page", "new_total", "a_name_of_tomorrow"])
def test_no_row_of_any_version_is_shown_by_the_name_of_a_view(recorded: str, account: Account, owner: User) -> None:
    refused(account, owner, recorded)
    for event in events_of(account, Wanted(kind=EventKind.REFUSED, for_team=True)):
        assert recorded.replace("_", " ").capitalize() != event.action
        assert "Another action" in event.action or event.action in {
            *customers_verbs().values(),
            *hidden_from_customers().values(),
        }


def test_what_an_earlier_version_called_a_verb_of_the_team_is_hidden_too(account: Account, owner: User) -> None:
    """Its rows name pages; whoever tried it then may be a contact, and not staff, today."""
    hidden = [name for name, verb in former_names().items() if verb in hidden_from_customers()]
    assert "onboarding_onboarding_note" in hidden
    Refusal.objects.bulk_create(
        Refusal(account=account, by=owner, action=name, rule="permission_denied", message="No.") for name in hidden
    )
    assert not Refusal.objects.for_customers(account).exists()
