"""Importing people: all or none, only once, and after a preview that is shown again if it is stale (R16)."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actions import add_service_user
from accounts.events import EventKind, Wanted, events_of
from accounts.models import Account, Contact, Refusal, Role, ServiceUser, User
from core.refusals import AlreadyDone
from subscriptions.actions import import_people, propose_people
from subscriptions.people_file import MOST_BYTES, MOST_PEOPLE, Person, read_people
from subscriptions.views.import_people import SALT
from tests.conftest import codes
from tests.guarding import nothing_written

CENTER = "/accounts/100001/contact-center/"
IMPORT, CONFIRM = CENTER + "users/import/", CENTER + "users/import/confirm/"
ANN, BEN = Person(2, "Ann Agent", "ann@example.com", "agent"), Person(3, "Ben", "ben@example.com", "")


@pytest.fixture
def customer(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def test_people_are_added_with_their_roles_and_history(installed: Account, owner: User) -> None:
    added = import_people(installed, [ANN, BEN], key=uuid4(), by=owner)
    assert [(p.name, p.email, p.contact_center_role) for p in added] == [
        ("Ann Agent", "ann@example.com", "agent"),
        ("Ben", "ben@example.com", ""),
    ]
    assert list(ServiceUser.objects.all()) == added
    for person in added:
        [row] = person.history.all()
        assert (row.history_type, row.history_user, row.contact_center_role) == (
            "+",
            owner,
            person.contact_center_role,
        )
    told = list(events_of(installed, Wanted(kind=EventKind.USERS)))
    assert {(event.who, event.action, event.item) for event in told} == {
        ("Olivia Owner", "Person imported", "Ann Agent"),
        ("Olivia Owner", "Person imported", "Ben"),
    }


def test_history_is_as_save_would_leave_it(installed: Account, owner: User) -> None:
    [imported] = import_people(installed, [ANN], key=uuid4(), by=owner)
    saved = add_service_user(installed, name="Ben", email="ben@example.com", by=owner)
    ours, theirs = (vars(person.history.get()).copy() for person in (imported, saved))
    same = {"account_id", "history_type", "history_user_id"}
    assert ours.keys() == theirs.keys()
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
    imported.refresh_from_db()
    assert (ours["created_at"] is None) == (theirs["created_at"] is None)


@pytest.mark.owner
def test_the_same_preview_adds_nobody_twice(installed: Account, owner: User) -> None:
    key = uuid4()
    import_people(installed, [ANN], key=key, by=owner)
    ServiceUser.objects.all().delete()  # the import can't be repeated even if the people are gone
    with nothing_written(), pytest.raises(AlreadyDone) as answer:
        import_people(installed, [ANN], key=key, by=owner)
    assert answer.value.code == "already_imported"


@pytest.mark.parametrize(
    ("people", "code"),
    [
        ([ANN, Person(3, "Other", "ANN@example.com", "")], "stale"),
        ([Person(2, "Ann", "there@example.com", "")], "stale"),
        ([ANN, Person(3, "Ben", "THERE@example.com ", "agent")], "stale"),
        ([ANN, Person(3, "", "ben@example.com", "")], "missing"),
        ([ANN, Person(3, "=1", "ben@example.com", "")], "formula"),
        ([ANN, Person(3, "Ben", "ben", "")], "bad_email"),
        ([ANN, Person(3, "Ben", "ben@example.com", "king")], "unknown_role"),
        ([ANN, Person(3, "B\0n", "ben@example.com", "")], "nul"),
        ([], "too_many"),
        ([ANN] * (MOST_PEOPLE + 1), "too_many"),
    ],
    ids=range(10),
)
def test_what_can_not_be_added_whole_is_not_added_at_all(
    installed: Account, owner: User, people: list[Person], code: str
) -> None:
    add_service_user(installed, name="There", email="there@example.com", by=owner)
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        import_people(installed, people, key=uuid4(), by=owner)
    assert codes(refusal.value) == {("__all__", code)}
    assert Refusal.objects.get().action == "import_people"


@pytest.mark.parametrize("role", [Role.BILLING, Role.VIEWER, None])
def test_only_those_who_change_services_import(
    installed: Account, make_user: Callable[..., User], role: Role | None
) -> None:
    other = make_user("other@example.com")
    if role:
        Contact.objects.create(account=installed, user=other, role=role)
    file = read_people(b"name,email\nAnn,ann@example.com\n")
    for attempt in (
        lambda: propose_people(installed, file, by=other),
        lambda: import_people(installed, [ANN], key=uuid4(), by=other),
    ):
        with nothing_written(but=(Refusal,)), pytest.raises(PermissionDenied):
            attempt()


def test_without_contact_center_nobody_is_imported(account: Account, owner: User) -> None:
    with nothing_written(but=(Refusal,)), pytest.raises(ValidationError) as refusal:
        import_people(account, [ANN], key=uuid4(), by=owner)
    assert codes(refusal.value) == {("__all__", "not_installed")}


def test_the_list_of_another_account_does_not_matter(
    installed: Account, make_account: Callable[..., Account], owner: User
) -> None:
    add_service_user(make_account("200002", owner=owner), name="Ann", email="ann@example.com", by=owner)
    file = propose_people(installed, read_people(b"name,email\nAnn,ann@example.com\n"), by=owner)
    assert [person.name for person in file.people] == ["Ann"]
    assert import_people(installed, file.people, key=uuid4(), by=owner)[0].account == installed


def test_a_thousand_people_take_a_few_queries(
    installed: Account, owner: User, django_assert_max_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    people = [Person(line, f"P {line}", f"p{line}@example.com", "agent") for line in range(1_000)]
    with django_assert_max_num_queries(15):
        import_people(installed, people, key=uuid4(), by=owner)
    assert ServiceUser.objects.with_contact_center().count() == 1_000


# The pages


def upload(client: Client, content: bytes | str, name: str = "people.csv") -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(IMPORT, {"file": SimpleUploadedFile(name, data, content_type="text/csv")})


def token_of(page: Any) -> str:
    return page.content.decode().split('name="token" value="')[1].split('"')[0]


FILE = "name,email,role,phone\nAnn,ann@example.com,Agent,1\nBen,ben@example.com,,2\nEve,eve@example.com,King,3\n"


def test_a_preview_writes_nothing_and_the_confirmation_does(customer: Client, installed: Account) -> None:
    assert "Look at the file" in customer.get(IMPORT).content.decode()
    with nothing_written():
        page = upload(customer, FILE)
    text = " ".join(page.content.decode().split())
    assert page.status_code == 200
    assert "<strong>2</strong> people will be put on your list, 1 of them with Contact Center." in text
    assert "<strong>1</strong> line is left out." in text
    assert "Not read: the column “phone”." in text
    assert "Line 4" in text
    assert "“King” is not a role." in text
    done = customer.post(CONFIRM, {"token": token_of(page)}, follow=True)
    assert "2 people are on the list now." in done.content.decode()
    assert [person.name for person in done.context["people"]] == ["Ann", "Ben"]


def test_a_replay_does_nothing_twice(customer: Client, installed: Account) -> None:
    token = token_of(upload(customer, FILE))
    customer.post(CONFIRM, {"token": token})
    with nothing_written():
        again = customer.post(CONFIRM, {"token": token}, follow=True)
    assert "You have imported this file already." in again.content.decode()


def test_a_stale_preview_is_shown_anew_and_then_confirmed(customer: Client, installed: Account, owner: User) -> None:
    token = token_of(upload(customer, FILE))
    add_service_user(installed, name="Ann of another", email="ann@example.com", by=owner)
    with nothing_written(but=(Refusal,)):
        page = customer.post(CONFIRM, {"token": token})
    text = " ".join(page.content.decode().split())
    assert page.status_code == 409
    assert "put on the list since this page was made" in text
    assert "ann@example.com is on your list already." in text
    assert "“King” is not a role." in text
    assert "Import 1 person" in text
    customer.post(CONFIRM, {"token": token_of(page)})
    assert list(ServiceUser.objects.values_list("name", flat=True)) == ["Ann of another", "Ben"]


def test_a_file_of_which_nothing_is_left_can_not_be_confirmed(customer: Client, installed: Account) -> None:
    page = upload(customer, "name,email\nAnn,bad\n")
    assert page.status_code == 200
    assert "<strong>0</strong> people will be put" in page.content.decode()
    assert 'name="token"' not in page.content.decode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"phone\n1\n", "“name” and “email” are missing."),
        ("name,email\nZoë,z@example.com".encode("latin-1"), "The file is not UTF-8, see line 2."),
        (b"name,email\n" + b"x" * MOST_BYTES, "The file has more than 2 MB."),
    ],
    ids=range(4),
)
def test_a_file_that_can_not_be_read_is_refused_at_its_field(
    customer: Client, installed: Account, content: bytes, message: str
) -> None:
    with nothing_written(but=(Refusal,)):
        page = upload(customer, content)
    assert page.status_code == 422
    error = page.content.decode().partition('id="id_file_error"')[2]
    assert message in error
    assert Refusal.objects.get().action == "import_people"


def test_no_file_and_a_text_in_its_place_are_refused(customer: Client, installed: Account) -> None:
    for data in ({}, {"file": "name,email"}):
        page = customer.post(IMPORT, data)
        assert page.status_code == 422
        assert "Choose a file." in page.content.decode()


def test_a_preview_is_of_its_account_and_its_visitor(
    customer: Client, installed: Account, owner: User, make_user: Callable[..., User]
) -> None:
    token = token_of(upload(customer, FILE))
    opened = signing.loads(token, salt=SALT)
    colleague = make_user("tech@example.com")
    Contact.objects.create(account=installed, user=colleague, role=Role.TECHNICAL)
    other = Client()
    other.force_login(colleague)
    forged = [
        token[:-3],
        "",
        "\0",
        signing.dumps(opened, salt="another", compress=True),
        signing.dumps({**opened, "account": installed.pk + 1}, salt=SALT, compress=True),
    ]
    with nothing_written():
        assert "expired or was damaged" in other.post(CONFIRM, {"token": token}, follow=True).content.decode()
        for text in forged:
            assert "expired or was damaged" in customer.post(CONFIRM, {"token": text}, follow=True).content.decode()


def test_what_a_file_says_is_shown_as_text(customer: Client, installed: Account) -> None:
    text = upload(customer, "name,email\n<script>x</script>,a@example.com\n<b>,bad\n").content.decode()
    assert "<script>" not in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "&lt;b&gt; bad" in text


@pytest.mark.parametrize("address", [IMPORT, CONFIRM])
@pytest.mark.parametrize(("role", "status"), [(Role.TECHNICAL, 200), (Role.VIEWER, 403), (Role.BILLING, 403)])
def test_roles_and_strangers(
    client: Client,
    installed: Account,
    make_user: Callable[..., User],
    make_account: Callable[..., Account],
    address: str,
    role: Role,
    status: int,
) -> None:
    other = make_user("other@example.com")
    Contact.objects.create(account=installed, user=other, role=role)
    client.force_login(other)
    assert client.get(address).status_code == (405 if address == CONFIRM else status)
    assert client.post(address).status_code == (status if status == 403 else 302 if address == CONFIRM else 422)
    client.force_login(make_account("200002").contacts.get().user)
    assert client.post(address).status_code == 404
    assert not ServiceUser.objects.exists()


def test_a_long_file_shows_the_first_lines_and_keeps_the_others_at_hand(customer: Client, installed: Account) -> None:
    rows = "".join(f"Person {i},p{i}@example.com,Agent\nBad {i},x,\n" for i in range(500))
    page = upload(customer, "name,email,role\n" + rows)
    text = page.content.decode()
    assert text.count("And 480 more") == 2
    assert "Person 499" in text
    assert "Line 1001" in text
    customer.post(CONFIRM, {"token": token_of(page)})
    assert ServiceUser.objects.with_contact_center().count() == 500


def test_the_preview_takes_a_fixed_number_of_queries(customer: Client, installed: Account) -> None:
    counts = []
    for count in (1, 900):
        with CaptureQueriesContext(connection) as queries:
            upload(customer, "name,email\n" + "".join(f"P,p{i}@example.com\n" for i in range(count)))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16, counts
