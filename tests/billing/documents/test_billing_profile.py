"""Billing profiles: whom an account's documents are addressed to (R38)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Contact, Role, User
from billing.actions import set_billing_profile
from billing.models import BillingProfile
from core.refusals import AlreadyDone
from tests.billing.documents.parties import PROFILE, profile
from tests.conftest import codes
from tests.racing import at_once

PAGE = "/accounts/100001/billing/profile/"


@pytest.fixture
def customer(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def posted(**other: Any) -> dict[str, Any]:
    return {**PROFILE, "seen": 0, **other}


def test_each_change_is_a_new_version(account: Account, owner: User) -> None:
    first = set_billing_profile(account, profile(), by=owner)
    second = set_billing_profile(account, profile(city="Salem"), by=owner, seen=1)
    assert [(each.version, each.city, each.saved_by) for each in (first, second)] == [
        (1, "Portland", owner),
        (2, "Salem", owner),
    ]
    assert BillingProfile.objects.of(account) == second
    assert list(BillingProfile.objects.current()) == [second]


def test_who_looked_at_an_older_version_changes_nothing(account: Account, owner: User) -> None:
    set_billing_profile(account, profile(), by=owner)
    with pytest.raises(ValidationError) as refusal:
        set_billing_profile(account, profile(city="Salem"), by=owner, seen=0)
    assert codes(refusal.value) == {("__all__", "stale")}
    assert BillingProfile.objects.count() == 1


def test_whoever_was_told_may_save_again(account: Account, owner: User, customer: Client) -> None:
    set_billing_profile(account, profile(city="Salem"), by=owner)
    answer = customer.post(PAGE, posted(seen=0))
    assert answer.status_code == 422
    assert "Someone else changed the billing profile" in answer.content.decode()
    assert customer.post(PAGE, posted(seen=answer.context["form"]["seen"].value())).status_code == 302
    assert BillingProfile.objects.of(account).city == "Portland"


def test_values_are_tidied(account: Account, owner: User) -> None:
    saved = set_billing_profile(
        account, profile(legal_name="  Acme\u00a0Support,  LLC ", invoice_email="Invoices@ACME.example.com"), by=owner
    )
    assert (saved.legal_name, saved.invoice_email) == ("Acme Support, LLC", "invoices@acme.example.com")


def test_saving_the_same_again_writes_nothing(account: Account, owner: User) -> None:
    set_billing_profile(account, profile(), by=owner)
    with pytest.raises(AlreadyDone):
        set_billing_profile(account, profile(), by=owner, seen=1)
    assert BillingProfile.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_save_at_once_one_wins(account: Account, owner: User) -> None:
    outcomes = at_once(
        6, lambda place: set_billing_profile(account, profile(city=f"City {place}"), by=owner, seen=0) and None
    )
    assert outcomes.count(None) == 1
    assert {type(outcome) for outcome in outcomes if outcome} == {ValidationError}
    assert BillingProfile.objects.get().version == 1


@pytest.mark.parametrize(
    ("role", "may"), [(Role.OWNER, True), (Role.BILLING, True), (Role.TECHNICAL, False), (Role.VIEWER, False)]
)
def test_owners_and_billing_managers_change_it(
    account: Account, make_user: Callable[..., User], role: str, may: bool
) -> None:
    user = make_user("else@example.com")
    Contact.objects.create(account=account, user=user, role=role)
    client = Client()
    client.force_login(user)
    answer = client.post(PAGE, posted())
    assert BillingProfile.objects.count() == may
    assert answer.status_code == (302 if may else 403)
    if not may:
        with pytest.raises(PermissionDenied):
            set_billing_profile(account, profile(), by=user)


@pytest.mark.parametrize(("who", "may"), [("member", True), ("biller", True), ("supporter", False)])
def test_the_teams_change_it_on_the_accounts_page(
    account: Account, who: str, may: bool, request: pytest.FixtureRequest, client: Client
) -> None:
    client.force_login(request.getfixturevalue(who))
    page = reverse("admin:accounts_account_change", args=[account.pk])
    form = f"{page.removesuffix('change/')}billing-profile/"
    assert ("Billing profile…" in client.get(page).content.decode()) == may
    assert client.get(form).status_code == (200 if may else 403)
    answer = client.post(form, posted())
    assert answer.status_code == (302 if may else 403)
    assert BillingProfile.objects.count() == may
    if may:
        assert "Acme Support, LLC" in client.get(form).content.decode()
        answer = client.post(form, posted(seen=0, city="Salem"))
        assert answer.status_code == 200
        assert answer.context["form"]["seen"].value() == "1"  # saving again replaces what was seen now
        assert client.post(form, posted(seen=0)).status_code == 302  # nothing is different
        assert BillingProfile.objects.count() == 1


def test_a_customer_fills_it_in_and_reads_it(account: Account, customer: Client) -> None:
    empty = customer.get(PAGE).content.decode()
    assert "There is no billing profile yet" in empty
    assert 'value="Acme Support"' in empty
    answer = customer.post(PAGE, posted(), follow=True)
    shown = answer.content.decode()
    assert "The billing profile was saved." in shown
    for value in ("Acme Support, LLC", "500 Market Street", "97201", "PO-7", "invoices@acme.example.com"):
        assert value in shown
    assert "Nothing was changed." in customer.post(PAGE, posted(seen=1), follow=True).content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legal_name", " "),
        ("legal_name", "x" * 201),
        ("street", ""),
        ("city", ""),
        ("country", ""),
        ("country", "ZZ"),
        ("invoice_email", "nobody"),
        ("language", "fr"),
        ("tax_number", "1\x002"),
        ("purchase_order", "a\x07b"),
        ("street", "\u202eMain"),
        ("seen", "x"),
        ("seen", "-1"),
        ("seen", ""),
        ("seen", "9" * 30),
    ],
)
def test_odd_input_is_answered_at_its_field_and_nothing_is_saved(
    account: Account, customer: Client, field: str, value: str
) -> None:
    answer = customer.post(PAGE, posted(**{field: value}))
    assert answer.status_code == 422
    assert answer.context["form"].errors
    assert not BillingProfile.objects.exists()


def test_somebody_elses_page_is_not_found(account: Account, make_user: Callable[..., User]) -> None:
    client = Client()
    client.force_login(make_user("stranger@example.com"))
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, posted()).status_code == 404
    assert not BillingProfile.objects.exists()


def test_a_viewer_reads_it_without_a_form(account: Account, owner: User, make_user: Callable[..., User]) -> None:
    viewer = make_user("viewer@example.com")
    Contact.objects.create(account=account, user=viewer, role=Role.VIEWER)
    client = Client()
    client.force_login(viewer)
    assert "There is no billing profile yet" in client.get(PAGE).content.decode()
    set_billing_profile(account, profile(), by=owner)
    page = client.get(PAGE).content.decode()
    assert "Acme Support, LLC" in page
    assert "United States" in page
    assert 'name="legal_name"' not in page
    assert "can change it" in page


def test_the_audit_log_says_what_changed(account: Account, owner: User, customer: Client) -> None:
    set_billing_profile(account, profile(), by=owner)
    set_billing_profile(account, profile(city="Salem", language="es"), by=owner)
    page = customer.get("/accounts/100001/audit-log/").content.decode()
    for said in ("Billing profile added", "Billing profile changed", "Portland", "Salem", "Español"):
        assert said in page


def test_the_worklist_shows_which_accounts_lack_one(installed: Account, owner: User, member: User) -> None:
    client = Client()
    client.force_login(member)
    worklist = reverse("admin:onboarding_onboarding_changelist")

    def listed(value: str) -> bool:
        return "Acme Support" in client.get(worklist, {"profile": value}).content.decode()

    assert (listed("missing"), listed("there")) == (True, False)
    set_billing_profile(installed, profile(), by=owner)
    assert (listed("missing"), listed("there")) == (False, True)


def test_the_worklist_shows_active_accounts_that_lack_one(active: Account, member: User) -> None:
    client = Client()
    client.force_login(member)
    worklist = reverse("admin:onboarding_onboarding_changelist")
    assert "Acme Support" in client.get(worklist, {"profile": "missing", "mode": "all"}).content.decode()


def test_versions_are_listed_and_found(account: Account, owner: User, supporter: User) -> None:
    set_billing_profile(account, profile(), by=owner)
    set_billing_profile(account, profile(legal_name="Later, Inc."), by=owner)
    client = Client()
    client.force_login(supporter)
    versions = reverse("admin:billing_billingprofile_changelist")
    for term in ("Later", "100001", "Acme"):
        assert "Later, Inc." in client.get(versions, {"q": term}).content.decode()
    page = client.get(reverse("admin:billing_billingprofile_change", args=[BillingProfile.objects.first().pk]))
    assert "Later, Inc." in page.content.decode()
