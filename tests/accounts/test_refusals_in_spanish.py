"""Refusals for users who read Spanish: they see them in Spanish, and the team sees them in English."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from accounts.actions import add_service_user
from accounts.models import Account, Contact, Refusal, Role, User
from accounts.models.user import Language
from core.guards import sentence_of
from onboarding.actions import request_go_live
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import propose_subscription
from subscriptions.models import ContactCenter
from subscriptions.rules import Subscription

NOW = datetime(2026, 3, 17, 16, tzinfo=UTC)
HELD: dict[str, Any] = {"seats": 0, "storage": "storage-5", "package": "tf-payperuse", "channels": frozenset()}
CENTER = "/accounts/100001/contact-center/"


@pytest.fixture
def reader(client: Client, owner: User) -> Client:
    """A client in which the owner is logged in and reads Spanish."""
    owner.language = Language.SPANISH
    owner.save()
    client.force_login(owner)
    return client


@pytest.fixture(autouse=True)
def afterwards_in_english() -> Any:
    yield
    translation.activate("en")


def asked(account: Account, by: User, wanted_on: date = date(2026, 4, 1)) -> None:
    request_go_live(account, wanted_on=wanted_on, by=by, now=NOW)


def asked_twice(account: Account, by: User) -> None:
    asked(account, by)
    asked(account, by)


def added_twice(account: Account, by: User) -> None:
    for name in ("Ann", "Anna"):
        add_service_user(account, name=name, email="ann@example.com", by=by)


@pytest.mark.parametrize(
    ("attempt", "told", "kept"),
    [
        (
            lambda account, by: propose_subscription(account, Subscription(**{**HELD, "seats": SEAT_LIMIT + 1}), by=by),
            f"Mientras su cuenta está en puesta en marcha puede tener como máximo {SEAT_LIMIT} puestos simultáneos",
            f"While your account is in onboarding it can hold at most {SEAT_LIMIT} concurrent-user seats; you "
            f"asked for {SEAT_LIMIT + 1}.",
        ),
        (
            lambda account, by: propose_subscription(account, Subscription(**{**HELD, "storage": "x"}), by=by),
            "«x» no se vende como almacenamiento de grabaciones.",
            "“x” is not sold as a recording storage.",
        ),
        (
            lambda account, by: asked(account, by, date(2026, 3, 16)),
            "Elija un día desde hoy, 17 de marzo de 2026, hasta dentro de un año.",
            "Choose a day from today, March 17, 2026, to a year from now.",
        ),
        (asked_twice, "Ya ha solicitado entrar en servicio.", "You have already asked to go live."),
        (
            added_twice,
            "Ya hay en la lista alguien con esta dirección de correo electrónico.",
            "Somebody with this e-mail address is already on the list.",
        ),
    ],
    ids=["seats", "kind", "day", "constraint", "constraint of people"],
)
def test_a_refusal_is_told_in_spanish_and_kept_in_english(
    installed: Account, owner: User, attempt: Callable[[Account, User], None], told: str, kept: str
) -> None:
    with translation.override("es"):
        with pytest.raises(ValidationError) as refusal:
            attempt(installed, owner)
        assert refusal.value.messages[0].startswith(told)
    assert Refusal.objects.get().message.startswith(kept)


def test_an_activation_is_told_with_its_day_in_each_language(active: Account, owner: User) -> None:
    at = active.onboarding.activated_at
    assert at is not None
    there = at.astimezone(active.zone)
    with translation.override("es"):
        with pytest.raises(ValidationError) as refusal:
            asked(active, owner)
        assert f" de {there:%Y a las %H:%M %Z}." in refusal.value.messages[0]
    assert Refusal.objects.get().message.endswith(there.strftime(" active since %B %-d, %Y at %H:%M %Z."))


def test_a_role_that_may_not_is_told_in_spanish_and_kept_in_english(installed: Account, owner: User) -> None:
    Contact.objects.filter(user=owner).update(role=Role.VIEWER)
    with translation.override("es"):
        with pytest.raises(PermissionDenied) as denial:
            asked(installed, owner)
        assert "no le permite cambiar los servicios" in str(denial.value)
    assert "does not let you change services" in Refusal.objects.get().message


def test_a_page_that_a_role_may_not_see_too(installed: Account, owner: User, reader: Client) -> None:
    Contact.objects.filter(user=owner).update(role=Role.BILLING)
    answer = reader.post(CENTER + "users/add/", {"name": "Ann", "email": "ann@example.com"})
    assert answer.status_code == 403
    assert "no le permite" in answer.content.decode()
    assert Refusal.objects.get().message == "Your role on this account does not let you change services."


@pytest.mark.parametrize(
    ("content", "told", "kept"),
    [
        ("name\nAnn", "falta «email».", "The first line must name the columns “name” and “email”; “email” is missing."),
        ("name,email\n", "El archivo no tiene personas", "The file has no people: nothing follows its first line."),
        ("phone\n1", "faltan «name» y «email».", "“name” and “email” are missing."),
    ],
    ids=["a column", "nobody", "two columns"],
)
def test_a_file_that_can_not_be_read_too(
    installed: Account, reader: Client, content: str, told: str, kept: str
) -> None:
    file = SimpleUploadedFile("people.csv", content.encode())
    answer = reader.post(CENTER + "users/import/", {"file": file})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert Refusal.objects.get().message.endswith(kept)


def test_what_a_form_could_not_read_too(installed: Account, reader: Client) -> None:
    answer = reader.post(CENTER + "subscription/", {**HELD, "seats": "dos", "channels": ["channel-voice"]})
    assert "Introduzca un número entero." in answer.content.decode()
    assert Refusal.objects.get(field="seats").message == "Enter a whole number."


def test_the_overview_tells_what_was_kept_in_the_language_of_its_reader(installed: Account, owner: User) -> None:
    with pytest.raises(ValidationError):
        propose_subscription(installed, Subscription(**{**HELD, "seats": SEAT_LIMIT + 1}), by=owner)
    with pytest.raises(ValidationError):
        asked_twice(installed, owner)
    in_english, in_spanish = Client(), Client()
    in_english.force_login(owner)
    words = in_english.get("/accounts/100001/").content.decode()
    assert f"it can hold at most {SEAT_LIMIT} concurrent-user seats; you asked for {SEAT_LIMIT + 1}." in words
    assert "You have already asked to go live." in words
    owner.language = Language.SPANISH
    owner.save()
    in_spanish.force_login(owner)
    words = in_spanish.get("/accounts/100001/").content.decode()
    assert f"Se intentaron {SEAT_LIMIT + 1} puestos; {SEAT_LIMIT} es el límite durante la puesta en marcha" in words
    assert "Ya ha solicitado entrar en servicio." in words
    assert "You have already asked" not in words


def test_a_guard_of_the_database_speaks_spanish_too(installed: Account) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        ContactCenter.objects.filter(account=installed).update(seats=SEAT_LIMIT + 1)
    sentence = sentence_of(refusal.value)
    assert sentence is not None
    assert str(sentence.text) == f"An account in onboarding can hold at most {SEAT_LIMIT} concurrent-user seats."
    with translation.override("es"):
        told = f"Una cuenta en puesta en marcha puede tener como máximo {SEAT_LIMIT} puestos simultáneos."
        assert str(sentence.text) == told


def test_words_in_two_languages_need_no_migration(db: None) -> None:
    with translation.override("es"):
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_audit_log_is_taken_away_in_spanish(installed: Account, owner: User, reader: Client) -> None:
    with pytest.raises(ValidationError):
        asked_twice(installed, owner)
    answer = reader.get("/accounts/100001/audit-log/csv/")
    header, *rows = answer.content.decode().splitlines()
    assert header == "fecha,quién,tipo,acción,elemento,qué,antes,después,nota"
    assert any("Ya ha solicitado entrar en servicio." in row for row in rows)


def test_usage_is_taken_away_in_spanish(installed: Account, reader: Client) -> None:
    answer = reader.get("/accounts/100001/billing/usage/csv/")
    assert answer.content.decode().splitlines()[0] == "cuenta,empresa,día,minutos_gratuitos"


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (1, "Se asignó Contact Center a 1 persona."),
        (2, "Se asignó Contact Center a 2 personas."),
    ],
)
def test_what_was_done_is_counted_in_spanish(
    installed: Account, owner: User, reader: Client, people: int, words: str
) -> None:
    keys = [
        add_service_user(installed, name=f"Person {i}", email=f"p{i}@example.com", by=owner).pk for i in range(people)
    ]
    answer = reader.post(CENTER + "users/", {"people": keys, "role": "agent"}, follow=True)
    assert words in answer.content.decode()
