"""If a lock isn't granted in time, the status is 503, nothing is saved, and the input is kept to be posted again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.actions import add_service_user
from accounts.models import Account, NumberAssignment, PhoneNumber, ServiceUser, User
from billing.models import CallImport, CallRecord, CreditNote, Invoice
from core.busy import ACCOUNT_IS_BUSY
from core.clock import database_now
from onboarding.actions import request_go_live
from onboarding.models import GoLiveRequest, Note, Onboarding
from subscriptions.actions import assign_number
from subscriptions.models import ContactCenter, Item, Price, SubscriptionChange
from tests.billing.bills import invoiced
from tests.billing.call_rows import file_of, row
from tests.guarding import nothing_written, sql
from tests.onboarding.worklist import LIST, page, ticks
from tests.subscriptions.test_admin import address, prices, tomorrow
from tests.subscriptions.test_subscription_page import CONFIRM, PAGE, save, token_of

pytestmark = pytest.mark.django_db(transaction=True)
CENTER = "/accounts/100001/contact-center/"
ACCOUNT = "SELECT FROM accounts_account ORDER BY id FOR NO KEY UPDATE"


@contextmanager
def held(lock: str = ACCOUNT) -> Iterator[None]:
    """Hold the lock of this statement in another connection, with a short lock timeout in the current one."""
    other = connection.copy()
    sql("SET lock_timeout = 100")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(lock)
        yield
    finally:
        other.rollback()
        other.close()
        sql("RESET lock_timeout")


class Forms(HTMLParser):
    """Collects (action, hidden fields) for each form of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str]]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        values = dict(attributes)
        if tag == "form":
            self.found.append((values.get("action", ""), []))
        elif tag == "input" and values.get("type") == "hidden" and self.found:
            self.found[-1][1].append((values["name"], values.get("value", "")))


def hidden(answer: Any) -> dict[str, list[str]]:
    """Return the values of the page's form that posts the same input again, by field."""
    (fields,) = [
        fields
        for action, fields in Forms(answer.content.decode()).found
        if action == answer.wsgi_request.get_full_path()
    ]
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return values


def refused(answer: Any, typed: dict[str, Any]) -> dict[str, list[str]]:
    """Assert that this is the page for a lock timeout, with all the input, and return what it would post again."""
    text = answer.content.decode()
    assert answer.status_code == 503, text
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert answer["Content-Type"].startswith("text/html")
    assert "Nothing was saved." in text
    assert "Try again" in text
    kept = hidden(answer)
    assert kept.pop("csrfmiddlewaretoken")
    files = {name for name, value in typed.items() if hasattr(value, "read")}
    expected = {
        name: [str(each) for each in value] if isinstance(value, list) else [str(value)]
        for name, value in typed.items()
        if name not in files
    }
    assert kept == expected
    assert ("your file again" in text) == bool(files)
    return kept


@dataclass
class Sending:
    """A form to post, and how to check that it took effect."""

    to: str
    is_done: Callable[[], bool]
    typed: dict[str, Any] = field(default_factory=dict)
    status: int = 302


# Customers' forms -----------------------------------------------------------------------------------------------------


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


HELD = {"seats": "0", "channels": ["channel-voice"], "storage": "storage-5", "package": "tf-payperuse"}


def proposing(account: Account, by: User, client: Client) -> Sending:
    return Sending(PAGE, lambda: True, {**HELD, "seats": "2"}, status=200)


def confirming(account: Account, by: User, client: Client) -> Sending:
    token = token_of(save(client, seats=2))
    return Sending(CONFIRM, lambda: ContactCenter.objects.get().seats == 2, {"token": token})


def giving_roles(account: Account, by: User, client: Client) -> Sending:
    person = add_service_user(account, name="Ann", email="ann@example.com", by=by)
    typed = {"people": [person.pk], "role": "agent"}
    return Sending(CENTER + "users/", lambda: ServiceUser.objects.get().contact_center_role == "agent", typed)


def adding_a_person(account: Account, by: User, client: Client) -> Sending:
    typed = {"name": "Zoë “O’Brien” <z>", "email": "zoe@example.com"}
    return Sending(CENTER + "users/add/?q=x&page=2", lambda: ServiceUser.objects.get().name == typed["name"], typed)


def assigning(account: Account, by: User, client: Client) -> Sending:
    number = PhoneNumber.objects.create(account=account, number="+18005550100")
    done = NumberAssignment.objects.current().exists
    return Sending(CENTER + "phone-numbers/?show=unassigned", done, {"assign": number.pk})


def asking_to_go_live(account: Account, by: User, client: Client) -> Sending:
    day = account.day_of(database_now()) + timedelta(days=5)
    note = "First line\nSecond line"
    return Sending(CENTER + "go-live/", GoLiveRequest.objects.open().exists, {"wanted_on": day, "note": note})


def withdrawing(account: Account, by: User, client: Client) -> Sending:
    request_go_live(account, wanted_on=account.day_of(database_now()), note="", by=by)
    return Sending(CENTER + "go-live/withdraw/", lambda: not GoLiveRequest.objects.open().exists())


def importing_people(account: Account, by: User, client: Client) -> Sending:
    file = SimpleUploadedFile("people.csv", b"name,email\nAnn,ann@example.com\n", content_type="text/csv")
    token = token_of(client.post(CENTER + "users/import/", {"file": file}))
    return Sending(CENTER + "users/import/confirm/", ServiceUser.objects.exists, {"token": token})


FORMS = [
    proposing, confirming, giving_roles, adding_a_person, assigning, asking_to_go_live, withdrawing, importing_people,
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_customers_form(form: Callable[..., Sending], customer: Client, installed: Account, owner: User) -> None:
    sending = form(installed, owner, customer)
    with held(), nothing_written():
        answer = customer.post(sending.to, sending.typed)
        kept = refused(answer, sending.typed)
        assert "Acme Support" in answer.content.decode(), "it is a page of the account"
        refused(customer.post(sending.to, kept), sending.typed)
    again = customer.post(sending.to, kept)
    assert (again.status_code, sending.is_done()) == (sending.status, True)


def test_the_install_form(customer: Client, account: Account, catalogue: None) -> None:
    typed = {"edition": "cc-pro", "confirmed": "on"}
    with held(), nothing_written():
        kept = refused(customer.post(CENTER + "install/", typed), typed)
    assert customer.post(CENTER + "install/", kept).status_code == 302
    assert ContactCenter.objects.get().edition.sku == "cc-pro"


def test_what_is_sent_again_needs_its_own_token(installed: Account, owner: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(owner)
    text = careful.get(CENTER + "users/").content.decode()
    token = text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    typed = {"name": "Ann", "email": "ann@example.com"}
    with held():
        answer = careful.post(CENTER + "users/add/", {**typed, "csrfmiddlewaretoken": token})
    assert careful.post(CENTER + "users/add/", typed).status_code == 403
    assert careful.post(CENTER + "users/add/", hidden(answer)).status_code == 302
    assert ServiceUser.objects.get().name == "Ann"


def test_passwords_are_not_kept(owner: User, client: Client) -> None:
    owner.set_password("a long old password")
    owner.save()
    client.force_login(owner)
    typed = {"oldpassword": "a long old password", "password1": "quite another one", "password2": "quite another one"}
    with held("SELECT FROM accounts_user FOR UPDATE"):
        answer = client.post(reverse("account_change_password"), typed)
    text = answer.content.decode()
    assert answer.status_code == 503
    assert hidden(answer).keys() == {"csrfmiddlewaretoken"}
    assert "quite another one" not in text
    assert "Passwords and codes are never kept" in text


# The back office ------------------------------------------------------------------------------------------------------


def activating(account: Account) -> Sending:
    typed = {"accounts": account.pk, "reason": "Customer called, ticket 4711", "despite": ticks(account)}
    return Sending(LIST + "activate/", lambda: Onboarding.objects.get().is_active, typed)


def noting(account: Account) -> Sending:
    typed = {"confirmed": "yes", "accounts": account.pk, "text": "Called."}
    return Sending(page(account, "note"), Note.objects.exists, typed)


def scheduling(account: Account) -> Sending:
    day = account.day_of(database_now()) + timedelta(days=30)
    typed = {"confirmed": "yes", "accounts": account.pk, "on": day, "reason": "Agreed"}
    return Sending(page(account, "schedule"), lambda: Onboarding.objects.get().scheduled_on == day, typed)


def renaming(account: Account) -> Sending:
    typed = {"company": "Acme & Sons", "timezone": account.timezone, "_save": "Save"}
    for prefix in ("contacts", "phone_numbers"):
        typed |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    there = reverse("admin:accounts_account_change", args=[account.pk])
    return Sending(there, lambda: Account.objects.get().company == "Acme & Sons", typed)


def moving(account: Account) -> Sending:
    number = PhoneNumber.objects.create(account=account, number="+18005550100")
    typed = {"account": account.pk, "number": "+18005550177"}
    there = reverse("admin:accounts_phonenumber_change", args=[number.pk])
    return Sending(there, PhoneNumber.objects.filter(number="+18005550177").exists, typed)


@pytest.fixture
def as_root(make_user: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    return client


def of_the_admin(answer: Any) -> bool:
    return "unfold/css/styles.css" in answer.content.decode()


@pytest.mark.parametrize("form", [activating, noting, scheduling, renaming, moving])
def test_a_form_of_the_back_office(form: Callable[..., Sending], as_root: Client, installed: Account) -> None:
    sending = form(installed)
    with held(), nothing_written():
        answer = as_root.post(sending.to, sending.typed)
        kept = refused(answer, sending.typed)
        assert of_the_admin(answer)
    assert as_root.post(sending.to, kept).status_code == 302
    assert sending.is_done()


def test_an_action_of_a_list_keeps_what_was_selected(as_root: Client, installed: Account) -> None:
    """A GET of the list gets the same status."""
    typed = {"action": "activate_selected", "_selected_action": [Onboarding.objects.get().pk], "index": 0}
    with held("LOCK TABLE onboarding_onboarding"):
        refused(as_root.post(LIST, typed), typed)
        seen = as_root.get(LIST)
        assert (seen.status_code, of_the_admin(seen)) == (503, True)
        assert seen["Retry-After"]


def test_of_many_accounts_each_is_told_and_the_others_go_on(
    as_root: Client, installed: Account, make_account: Callable[..., Account], owner: User
) -> None:
    other = make_account("100002", owner=owner)
    typed = {"accounts": f"{installed.pk},{other.pk}", "reason": "Ready", "despite": ticks(installed)}
    with held(f"SELECT FROM accounts_account WHERE id = {installed.pk} FOR NO KEY UPDATE"):
        answer = as_root.post(LIST + "activate/", typed, follow=True)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert ACCOUNT_IS_BUSY in text
    assert "lock timeout" not in text
    assert not Onboarding.objects.get().is_active


def test_a_credit_note(as_root: Client, active: Account, owner: User) -> None:
    assign_number(active, PhoneNumber.objects.create(account=active, number="+18005550100"), by=owner)
    sql("ALTER TABLE accounts_numberassignment DISABLE TRIGGER USER")
    sql("UPDATE accounts_numberassignment SET period = tstzrange('2026-03-05', NULL)")
    sql("ALTER TABLE accounts_numberassignment ENABLE TRIGGER USER")
    invoice = invoiced(active, owner)
    there = reverse("admin:billing_invoice_give_money_back", args=[invoice.pk])
    typed = {"amount": "6.76", "reason": "Line was down", "creditable": "76.76"}
    with held(), nothing_written():
        kept = refused(as_root.post(there, typed), typed)
    assert as_root.post(there, kept).status_code == 302
    assert (CreditNote.objects.get().amount, Invoice.objects.get().creditable) == (6.76 and invoice.total - 70, 70)


def test_a_new_price(as_root: Client, catalogue: None) -> None:
    item = Item.objects.get(sku="cc-pro")
    typed = prices({"effective_from": tomorrow(), "monthly_price": "75.50"}, name=item.name, sku=item.sku)
    with held("LOCK TABLE subscriptions_price IN EXCLUSIVE MODE"), nothing_written():
        kept = refused(as_root.post(address(item), typed), typed)
    assert as_root.post(address(item), kept).status_code == 302
    assert Price.objects.filter(item=item).latest("effective_from").monthly_price == 75.5


@pytest.fixture
def answered(installed: Account, owner: User, toll_free: PhoneNumber) -> PhoneNumber:
    assign_number(installed, toll_free, by=owner, now=ContactCenter.objects.get().installed_at)
    return toll_free


UPLOAD = "/admin/billing/callimport/import/"


def calls(content: bytes) -> dict[str, Any]:
    file = SimpleUploadedFile("march.csv", content, content_type="text/csv")
    return {"file": file, "layout": "own", "zone": ""}


def test_an_import_of_calls(as_root: Client, answered: PhoneNumber) -> None:
    typed = calls(file_of([row("c1")]))
    with held(), nothing_written():
        kept = refused(as_root.post(UPLOAD, typed), typed)
    without_its_file = as_root.post(UPLOAD, kept)
    assert "Choose a file." in without_its_file.content.decode()
    assert without_its_file.context["form"]["layout"].value() == "own"
    assert as_root.post(UPLOAD, calls(file_of([row("c1")]))).status_code == 302
    assert CallRecord.objects.count() == 1


def test_an_import_that_had_begun_says_what_is_in(as_root: Client, answered: PhoneNumber) -> None:
    rows = [row("c1", seconds="x"), row("c2")]  # rejected rows are written first, before any account is locked
    with held():
        answer = as_root.post(UPLOAD, calls(file_of(rows)))
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "What was written so far is in: import the file again." in answer.content.decode()
    assert CallImport.objects.get().finished_at is None


# Pages that are only viewed, and locks that are needed before any page -----------------------------------------------


@pytest.mark.parametrize("path", [CENTER, CENTER + "subscription/", "/accounts/100001/billing/", "/"])
def test_a_page_that_is_only_looked_at(path: str, customer: Client, installed: Account) -> None:
    customer.raise_request_exception = False
    for table in ("accounts_contact", "subscriptions_price", "django_session"):
        with held(f"LOCK TABLE {table}"):
            answer = customer.get(path)
        if path == "/" and table == "subscriptions_price":
            continue  # the page doesn't read this table
        text = answer.content.decode()
        assert (answer.status_code, table) == (503, table)
        assert answer["Retry-After"] == "5"
        assert "this page couldn’t be loaded" in text
        assert f'href="{path}">Try again</a>' in text
    assert customer.get(path, follow=True).status_code == 200


def test_a_deadlock_is_answered_alike(customer: Client, installed: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends a deadlock with an error in one transaction; here, a trigger raises that error."""
    sql(
        "CREATE FUNCTION dead() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$;"
        "CREATE TRIGGER dead BEFORE INSERT ON accounts_serviceuser FOR EACH ROW EXECUTE FUNCTION dead()"
    )
    typed = {"name": "Ann", "email": "ann@example.com"}
    try:
        refused(customer.post(CENTER + "users/add/", typed), typed)
    finally:
        sql("DROP FUNCTION dead() CASCADE")


def test_another_error_of_the_database_is_not(customer: Client, installed: Account) -> None:
    customer.raise_request_exception = False
    sql("ALTER TABLE accounts_serviceuser RENAME TO away")
    try:
        assert customer.get(CENTER + "users/").status_code == 500
    finally:
        sql("ALTER TABLE away RENAME TO accounts_serviceuser")
    assert SubscriptionChange.objects.count() == 1
