"""The admin of people and accounts: nobody can make themselves staff, and forms explain what is invalid."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Contact, NumberAssignment, PhoneNumber, Refusal, Role, ServiceUser, User
from core.groups import ONBOARDING_TEAM
from onboarding.models import Onboarding
from subscriptions.actions import assign_number, install
from subscriptions.models import Item, Price
from tests.accounts.pages import page
from tests.conftest import PASSWORD


def inlines(**filled: int) -> dict[str, object]:
    """Return the management forms of the account's page, with these numbers of new rows."""
    prefixes = ("contacts", "phone_numbers")
    return {f"{prefix}-TOTAL_FORMS": filled.get(prefix, 0) for prefix in prefixes} | {
        f"{prefix}-INITIAL_FORMS": 0 for prefix in prefixes
    }


def test_the_three_groups_exist_and_hold_what_they_need(db: None) -> None:
    assert Group.objects.count() == 3
    assert set(
        Permission.objects.filter(group__name=ONBOARDING_TEAM, codename="activate_account").values_list("group__name")
    ) == {(ONBOARDING_TEAM,)}
    assert Permission.objects.filter(codename="activate_account").get().group_set.count() == 1


def test_staff_log_in_by_email_at_the_one_log_in(member: User) -> None:
    client = Client()
    asked = client.get("/admin/", follow=True)
    assert asked.redirect_chain[-1][0] == "/login/?next=%2Fadmin%2F"
    answer = client.post("/login/", {"login": "Tom@example.com", "password": PASSWORD, "next": "/admin/"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_customer_is_kept_out_of_the_admin(owner: User, login: Callable[[User], Client]) -> None:
    assert login(owner).get("/admin/", follow=True).status_code == 403


def test_the_team_makes_customers_log_ins_and_never_staff(member: User, login: Callable[[User], Client]) -> None:
    forged = {"is_staff": "on", "is_superuser": "on", "groups": Group.objects.first().pk, "is_active": ""}
    fields = {"email": "New.Customer@Example.com", "first_name": "Nina", "language": "es", "usable_password": "false"}
    answer = login(member).post(page(User, "add"), {**fields, **forged})
    made = User.objects.get(email="new.customer@example.com")
    assert answer.status_code == 302
    assert (made.is_staff, made.is_superuser, made.is_active, made.groups.count()) == (False, False, True, 0)
    assert not made.has_usable_password()
    assert made.history.get().history_user == member


@pytest.mark.parametrize("whose", ["member", "root", "colleague"])
def test_staff_with_permissions_on_users_touch_no_staff(
    whose: str, member: User, root: User, make_user: Callable[..., User], login: Callable[[User], Client]
) -> None:
    member.user_permissions.set(Permission.objects.filter(content_type__model__in=["user", "group"]))
    colleague = make_user("colleague@example.com", is_staff=True)
    target = {"member": member, "root": root, "colleague": colleague}[whose]
    client = login(member)
    before = User.objects.filter(pk=target.pk).values().get()
    forged = {"email": "taken@example.com", "is_staff": "on", "is_superuser": "on", "is_active": "on"}
    assert client.post(page(User, "change", target.pk), forged).status_code == 403
    password = {"password1": "another long one", "password2": "another long one", "set-password": "1"}
    address = reverse("admin:auth_user_password_change", args=[target.pk])
    assert client.post(address, password).status_code == 403
    if whose != "member":  # logging in changes the member's own row
        assert User.objects.filter(pk=target.pk).values().get() == before
    group = Group.objects.get(name=ONBOARDING_TEAM)
    assert client.post(page(Group, "change", group.pk), {"name": "Mine"}).status_code == 403
    assert client.post(page(Group, "add"), {"name": "Mine"}).status_code == 403


def test_staff_with_permissions_on_users_make_nobody_staff(
    member: User, owner: User, login: Callable[[User], Client]
) -> None:
    member.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    forged = {"is_staff": "on", "is_superuser": "on", "groups": [Group.objects.first().pk], "user_permissions": [1]}
    answer = login(member).post(
        page(User, "change", owner.pk),
        {"email": owner.email, "first_name": "Olga", "language": "es", "is_active": "on", **forged},
    )
    assert answer.status_code == 302
    owner.refresh_from_db()
    assert (owner.first_name, owner.language) == ("Olga", "es")
    assert (owner.is_staff, owner.is_superuser) == (False, False)
    assert not owner.groups.exists()
    assert not owner.user_permissions.exists()


def test_a_superuser_makes_staff(root: User, owner: User, login: Callable[[User], Client]) -> None:
    team = Group.objects.get(name=ONBOARDING_TEAM)
    fields = {"email": owner.email, "language": "en", "is_active": "on", "is_staff": "on", "groups": [team.pk]}
    assert login(root).post(page(User, "change", owner.pk), fields).status_code == 302
    owner.refresh_from_db()
    assert owner.is_staff
    assert list(owner.groups.all()) == [team]


def test_the_three_teams_are_not_deleted(root: User, login: Callable[[User], Client]) -> None:
    own = Group.objects.create(name="Own")
    for group in Group.objects.all():
        login(root).post(page(Group, "delete", group.pk), {"post": "yes"})
    assert Group.objects.count() == 3
    assert not Group.objects.filter(pk=own.pk).exists()


def test_an_account_is_made_with_its_contact_and_numbers(
    member: User, owner: User, login: Callable[[User], Client]
) -> None:
    filled = {
        "contacts-0-user": owner.pk,
        "contacts-0-role": Role.OWNER,
        "phone_numbers-0-number": "(800) 555-0100",
        "phone_numbers-1-number": "212.555.0100",
    }
    fields = {"number": "200001", "company": "Bluewater", "timezone": "America/Chicago"}
    answer = login(member).post(page(Account, "add"), {**inlines(contacts=1, phone_numbers=2), **fields, **filled})
    assert answer.status_code == 302
    account = Account.objects.get(number="200001")
    assert account.contacts.get().user == owner
    assert set(account.phone_numbers.values_list("number", "kind")) == {
        ("+18005550100", "toll_free"),
        ("+12125550100", "local"),
    }
    assert {row.history_user for row in account.phone_numbers.first().history.all()} == {member}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"contacts-1-role": Role.OWNER}, "This user already has this role on the account."),
        ({"phone_numbers-0-number": "12"}, "valid phone number"),
        ({"phone_numbers-0-number": "+1 800 555 0199"}, "This number already belongs to an account."),
        ({"timezone": "Mars/Olympus"}, "is not a time zone"),
        ({"number": "12a"}, "An account number is 4 to 12 digits."),
        ({"company": "A\0"}, "Null characters are not allowed."),
    ],
)
def test_what_can_not_be_is_said_on_the_form(
    changed: dict[str, object], said: str, account: Account, root: User, owner: User, login: Callable[[User], Client]
) -> None:
    PhoneNumber.objects.create(account=account, number="+18005550199")
    filled = {
        "contacts-0-user": owner.pk,
        "contacts-0-role": Role.OWNER,
        "contacts-1-user": owner.pk,
        "contacts-1-role": Role.BILLING,
        "phone_numbers-0-number": "(800) 555-0100",
    }
    fields = {"number": "200001", "company": "Bluewater", "timezone": "America/Chicago"}
    form = {**inlines(contacts=2, phone_numbers=1), **fields, **filled, **changed}
    answer = login(root).post(page(Account, "add"), form)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert said in text or "Please correct the duplicate" in text
    assert not Account.objects.filter(company="Bluewater").exists()


def test_the_time_zone_is_fixed_once_contact_center_is_installed(
    account: Account, root: User, owner: User, catalogue: None, login: Callable[[User], Client]
) -> None:
    client = login(root)
    form = {**inlines(), "company": "Acme", "timezone": "America/Chicago", "number": "999999"}
    assert client.post(page(Account, "change", account.pk), form).status_code == 302
    account.refresh_from_db()
    assert (account.timezone, account.number) == ("America/Chicago", "100001")
    install(account, edition="cc-pro", by=owner)
    form["timezone"] = "America/Denver"
    assert client.post(page(Account, "change", account.pk), form).status_code == 302
    account.refresh_from_db()
    assert account.timezone == "America/Chicago"


def test_saving_without_a_change_leaves_no_history(
    account: Account, root: User, login: Callable[[User], Client]
) -> None:
    before = account.history.count()
    form = {**inlines(), "company": account.company, "timezone": account.timezone}
    assert login(root).post(page(Account, "change", account.pk), form).status_code == 302
    assert account.history.count() == before


def test_a_number_that_was_assigned_keeps_its_digits_and_does_not_move_while_assigned(
    installed: Account,
    owner: User,
    root: User,
    toll_free: PhoneNumber,
    make_account: Callable[..., Account],
    login: Callable[[User], Client],
) -> None:
    client = login(root)
    assert client.post(
        page(PhoneNumber, "change", toll_free.pk), {"account": installed.pk, "number": "8005550101"}
    ).status_code == (302)
    toll_free.refresh_from_db()
    assert toll_free.number == "+18005550101"
    assign_number(installed, toll_free, by=owner)
    other = make_account("300001")
    answer = client.post(page(PhoneNumber, "change", toll_free.pk), {"account": other.pk, "number": "8005550102"})
    assert b"unassign it before it moves" in answer.content
    toll_free.refresh_from_db()
    assert (toll_free.number, toll_free.account) == ("+18005550101", installed)


@pytest.mark.parametrize("written", ["(800) 555-0100", "+1 800 555 0100", "800-555-0100", "8005550100", "Acme"])
def test_numbers_are_found_in_any_way_of_writing(
    written: str, installed: Account, toll_free: PhoneNumber, owner: User, root: User, login: Callable[[User], Client]
) -> None:
    assign_number(installed, toll_free, by=owner)
    client = login(root)
    for model in (PhoneNumber, NumberAssignment):
        answer = client.get(page(model, "changelist"), {"q": written})
        assert answer.context["cl"].result_count == 1


@pytest.mark.parametrize("words", ["100001", "acme", "OLIVIA@example.com"])
def test_accounts_are_found_by_number_company_and_contact(
    words: str, account: Account, root: User, login: Callable[[User], Client]
) -> None:
    answer = login(root).get(page(Account, "changelist"), {"q": words})
    assert list(answer.context["cl"].result_list) == [account]


def test_accounts_contacts_and_users_are_kept(
    everything: None, account: Account, owner: User, root: User, login: Callable[[User], Client]
) -> None:
    client = login(root)
    kept = (Account, User, PhoneNumber, ServiceUser, Onboarding, Item, Price, Refusal, NumberAssignment)
    for model in kept:
        row = model.objects.first()
        assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert model.objects.filter(pk=row.pk).exists()
    contact = Contact.objects.get(account=account)
    assert client.post(page(Contact, "delete", contact.pk), {"post": "yes"}).status_code == 302
    assert not Contact.objects.filter(pk=contact.pk).exists()
    assert Contact.history.filter(id=contact.pk, history_type="-", history_user=root).count() == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [("who=staff", 0), ("who=customers", 1), ("action=install", 1), ("rule=seat_limit", 0), ("rule=unknown_item", 1)],
)
def test_refusals_are_filtered_by_who_what_and_rule(
    query: str, found: int, everything: None, root: User, login: Callable[[User], Client]
) -> None:
    answer = login(root).get(f"{page(Refusal, 'changelist')}?{query}")
    assert answer.context["cl"].result_count == found


def test_the_sidebar_shows_what_one_may_see(member: User, root: User, login: Callable[[User], Client]) -> None:
    assert b"Teams" in login(root).get("/admin/").content
    seen = login(member).get("/admin/").content
    assert b"Worklist" in seen
    assert b"Teams" not in seen


@pytest.mark.parametrize("who", ["root", "supporter"])
def test_no_part_of_a_password_is_shown(client: Client, request: pytest.FixtureRequest, owner: User, who: str) -> None:
    client.force_login(request.getfixturevalue(who))
    text = client.get(f"/admin/accounts/user/{owner.pk}/change/").content.decode()
    assert "A password is set." in text
    _, salt, digest = owner.password.split("$")
    for part in (salt[:3], digest[:4], "md5", "hash"):
        assert f">{part}" not in text
        assert f": {part}" not in text
    owner.set_unusable_password()
    owner.save()
    assert "No password is set." in client.get(f"/admin/accounts/user/{owner.pk}/change/").content.decode()
