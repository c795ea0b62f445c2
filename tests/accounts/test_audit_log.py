"""The audit log as customers see it: who may see which events, filters, and CSV (R19, R20, I15)."""

import csv
import html
import io
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actions import add_service_user
from accounts.models import Account, Contact, Refusal, Role, ServiceUser, User
from core.csv_files import defused
from onboarding.actions import activate
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import assign_users
from tests.conftest import INSTALLED

LOG = "/accounts/100001/audit-log/"


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def actions(page: Any) -> list[str]:
    return [event.action for event in page.context["events"]]


@pytest.mark.parametrize("address", [LOG, LOG + "csv/"])
@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 200), (Role.BILLING, 200), (Role.VIEWER, 200), (Role.TECHNICAL, 403)]
)
def test_roles_that_may_see_it(
    client: Client, installed: Account, make_user: Callable[..., User], address: str, role: Role, status: int
) -> None:
    other = make_user("other@example.com")
    Contact.objects.create(account=installed, user=other, role=role)
    client.force_login(other)
    assert client.get(address).status_code == status
    assert (f'href="{LOG}"' in client.get("/accounts/100001/").content.decode()) == (status == 200)


@pytest.mark.parametrize("address", [LOG, LOG + "csv/"])
def test_other_customers_and_visitors_see_nothing(
    client: Client, installed: Account, make_account: Callable[..., Account], address: str
) -> None:
    assert client.get(address).url.startswith("/login/")
    client.force_login(make_account("200002").contacts.get().user)
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Acme" not in answer.content.decode()


def test_a_page_says_when_who_what_and_from_what_to_what(customer: Client, installed: Account, owner: User) -> None:
    ann = add_service_user(installed, name="<b>Ann</b>", email="ann@example.com", by=owner)
    assign_users(installed, {ann.pk: "agent"}, by=owner)
    customer.post(
        "/accounts/100001/contact-center/subscription/",
        {"seats": SEAT_LIMIT + 1, "storage": "storage-5", "package": "tf-payperuse"},
    )
    text = " ".join(customer.get(LOG).content.decode().split())
    assert "March 5, 2026, 10:00" in text  # 15:00 UTC in the account's time zone
    assert "&lt;b&gt;Ann&lt;/b&gt;" in text
    assert 'not assigned <span aria-hidden="true">→</span>' in text
    assert f"Tried {SEAT_LIMIT + 1} seats; {SEAT_LIMIT} is the limit in onboarding" in text
    assert f'<a href="{LOG}" aria-current="page">' in text


def test_events_are_filtered_by_kind_person_and_day(
    customer: Client, installed: Account, owner: User, member: User
) -> None:
    activate(installed, by=member, reason="Ready", now=INSTALLED + timedelta(days=2))
    assert actions(customer.get(LOG + "?kind=onboarding")) == ["Account activated", "Onboarding mode switched on"]
    assert actions(customer.get(LOG + "?who=team")) == ["Account activated"]
    assert set(actions(customer.get(f"{LOG}?who={owner.pk}"))) == {
        "Onboarding mode switched on",
        "Contact Center installed",
    }
    assert actions(customer.get(LOG + "?since=2026-03-06&until=2026-03-07")) == ["Account activated"]
    assert actions(customer.get(LOG + "?until=03/06/2026&kind=subscription")) == ["Contact Center installed"]
    nothing = customer.get(LOG + "?kind=billing")
    assert actions(nothing) == []
    assert "No such event" in nothing.content.decode()


@pytest.mark.parametrize(("moment", "day"), [("2026-03-07T04:59:59+00:00", 6), ("2026-03-07T05:00:00+00:00", 7)])
def test_days_are_those_of_the_account(customer: Client, account: Account, owner: User, moment: str, day: int) -> None:
    Refusal.objects.create(account=account, by=owner, at=moment, action="install", rule="x", message="No.")
    for asked in (6, 7):
        page = customer.get(f"{LOG}?kind=refused&since=2026-03-0{asked}&until=2026-03-0{asked}")
        assert len(actions(page)) == (asked == day)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=nonsense", "kind"),
        ("who=999999999", "who"),
        ("who=x", "who"),
        ("since=soon", "since"),
        ("since=0001-01-01", "since"),
        ("until=9999-12-31", "until"),
        ("since=2026-03-07&until=2026-03-06", "until"),
    ],
)
def test_what_can_not_be_asked_is_said_at_its_field(
    customer: Client, installed: Account, query: str, field: str
) -> None:
    for page in (LOG, LOG + "csv/"):
        answer = customer.get(f"{page}?{query}")
        assert answer.status_code == 422
        text = answer.content.decode()
        assert f'id="id_{field}_error"' in text
        assert "Contact Center installed" not in text


def test_staff_and_people_of_others_can_not_be_asked_for(
    customer: Client, installed: Account, member: User, make_account: Callable[..., Account]
) -> None:
    stranger = make_account("200002").contacts.get().user
    for user in (member, stranger):
        page = customer.get(f"{LOG}?who={user.pk}")
        assert page.status_code == 422
        assert user.email not in page.content.decode()


def test_staff_are_named_by_their_team(customer: Client, installed: Account, member: User) -> None:
    activate(installed, by=member, reason="A reason of the team", now=INSTALLED + timedelta(days=2))
    for page in (LOG, LOG + "csv/"):
        text = customer.get(page).content.decode()
        assert "Onboarding team" in text
        assert member.email not in text
        assert "A reason of the team" not in text


@pytest.fixture
def long(installed: Account, owner: User) -> Account:
    ServiceUser.objects.bulk_create(
        ServiceUser(account=installed, name=f"P {i:03}", email=f"p{i}@example.com") for i in range(120)
    )
    assign_users(installed, dict.fromkeys(ServiceUser.objects.values_list("pk", flat=True), "agent"), by=owner)
    return installed


def test_older_events_follow_on_pages_that_keep_the_filters(customer: Client, long: Account) -> None:
    seen, address = [], "?kind=users"
    for size in (50, 50, 20):
        page = customer.get(LOG + address)
        text = page.content.decode()
        assert len(page.context["events"]) == size
        seen += [event.item for event in page.context["events"]]
        links = re.findall(r'href="([^"]*)">(Newest|Older)</a>', text)
        assert [words for _, words in links] == ["Newest"] * bool(len(seen) > 50) + ["Older"] * (len(seen) < 120)
        address = html.unescape(links[-1][0])
    assert sorted(seen) == [f"P {i:03}" for i in range(120)]
    assert address == "?kind=users"  # the last link leads back to the newest events
    assert f'href="{LOG}csv/?kind=users"' in text


@pytest.mark.parametrize("before", ["x", "~~", "2026-03-05T10:00:00%2B00:00~99~1", "9999-99-99~1~1"])
def test_a_place_that_can_not_be_is_no_error(customer: Client, installed: Account, before: str) -> None:
    assert customer.get(f"{LOG}?before={before}").status_code == 200


def rows_of(answer: Any) -> Sequence[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_the_csv_has_all_that_the_filters_leave_a_row_for_each_change(customer: Client, long: Account) -> None:
    answer = customer.get(LOG + "csv/?kind=users&before=x")
    assert answer["Content-Disposition"] == 'attachment; filename="audit-log-100001.csv"'
    assigned = [row["item"] for row in rows_of(answer) if row["what"] == "Contact Center"]
    assert sorted(assigned) == [f"P {i:03}" for i in range(120)]
    installed = rows_of(customer.get(LOG + "csv/?kind=subscription"))
    assert [(row["action"], row["what"], row["before"], row["after"]) for row in installed] == [
        ("Contact Center installed", "Seats", "", "0"),
        ("Contact Center installed", "Recording storage", "", "5 GB"),
        ("Contact Center installed", "Toll-free package", "", "Pay-per-use"),
        ("Contact Center installed", "Voice", "off", "on"),
    ]
    assert {row["date"] for row in installed} == {"2026-03-05 10:00:00-05:00"}
    assert {row["who"] for row in installed} == {"Olivia Owner"}


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_csv_is_a_formula(customer: Client, installed: Account, owner: User, sign: str) -> None:
    formula = f'{sign}HYPERLINK("http://x")'
    ServiceUser.objects.create(account=installed, name=formula, email="ann@example.com")
    [row] = rows_of(customer.get(LOG + "csv/?kind=users"))
    assert row["item"] == defused(formula) == f"'{formula}"


def test_pages_take_a_fixed_number_of_queries(
    customer: Client, long: Account, django_assert_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    # The queries read the session, user, account, role, people and events, and the banner and account switcher.
    with django_assert_num_queries(7):
        few = customer.get(LOG + "?kind=billing")
    with django_assert_num_queries(7):
        many = customer.get(LOG)
    assert (len(few.context["events"]), len(many.context["events"])) == (0, 50)
    with django_assert_num_queries(6):
        customer.get(LOG + "csv/")
