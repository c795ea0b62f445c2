"""The language of pages and emails: whose setting decides, how it is chosen, and that pages never mix languages."""

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from accounts.models import Account, PhoneNumber, Refusal, User
from accounts.models.user import Language
from billing.actions import issue_credit_note, set_billing_profile
from core.dates import day_in_words, days_in_words, month_in_words
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import assign_number, install, propose_subscription
from subscriptions.rules import Subscription
from tests.accounts.login.logging_in import LOGIN, YOU, logged_in, set_up_app, show_password
from tests.billing.bills import invoiced
from tests.billing.documents.parties import profile
from tests.conftest import INSTALLED
from tests.guarding import nothing_written
from tests.mailing import SITE, delivered
from tests.onboarding.notices.test_messages import CATALOGUE, messages_of

CENTER = "/accounts/100001/contact-center/"
BILLING = "/accounts/100001/billing/"
PAGES = [
    "/accounts/100001/",
    CENTER,
    *(CENTER + tab for tab in ("subscription/", "users/", "users/import/", "phone-numbers/", "go-live/")),
    *(BILLING + tab for tab in ("", "invoices/", "usage/")),
    "/accounts/100001/audit-log/",
    YOU,
    YOU + "address/",
    "/nowhere/",
]
LOGIN_PAGES = [LOGIN, "/login/password/reset/", "/login/password/reset/done/", "/login/signup/", "/nowhere/"]
TEMPLATES = Path(settings.PROJECT) / "templates"
CUSTOMERS = sorted(
    path
    for kind in ("html", "txt", "subject")
    for path in TEMPLATES.rglob(f"*.{kind}")
    if path.relative_to(TEMPLATES).parts[0] not in ("admin", "allauth", "unfold")
)


@pytest.fixture
def in_spanish(owner: User) -> User:
    owner.language = Language.SPANISH
    owner.save()
    return owner


@pytest.fixture(autouse=True)
def afterwards_in_english() -> Any:
    yield
    translation.activate("en")


def seen(answer: Any) -> str:
    """Return the visible text of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_in_the_language_of_its_visitor_and_in_no_other(
    path: str, installed: Account, in_spanish: User
) -> None:
    client = logged_in(in_spanish)
    show_password(client)
    answer = client.get(path)
    assert answer["Content-Language"] == "es"
    assert '<html lang="es">' in answer.content.decode()
    with translation.override("es"):
        assert gettext("Your log-in:") in seen(answer)
    assert english_on(answer) == []


def english_on(answer: Any) -> list[str]:
    """Return the English translatable texts on a page, including attributes that screen readers read aloud."""
    attributes = re.findall(r"\s(?:aria-label|data-label|alt|placeholder|title)=\"([^\"]*)\"", answer.content.decode())
    words = f" {seen(answer)}  {'  '.join(map(html.unescape, attributes))} "
    english = [
        source
        for source, translated in messages_of(CATALOGUE.read_text()).items()
        if isinstance(source, str) and source != translated and len(source) > 7 and "%(" not in source
    ]
    assert len(english) > 400
    names = re.escape("|".join(re.findall(r"Pay-per-use|Contact Center \w+", words)))
    return [source for source in english if f" {source} " in words and source not in names]


@pytest.mark.parametrize("path", [*PAGES[:-3], BILLING + "invoices/1/", BILLING + "usage/?month=2026-03"])
def test_pages_of_a_live_account_are_in_no_other_language(
    path: str, active: Account, toll_free: PhoneNumber, in_spanish: User, biller: User
) -> None:
    Account.objects.filter(pk=active.pk).update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assign_number(active, toll_free, by=in_spanish, now=INSTALLED)
    set_billing_profile(active, profile(language="es"), by=in_spanish)  # the document is in this language
    issue_credit_note(active, invoiced(active, in_spanish), amount=Decimal(5), reason="Perdone", by=biller)
    assert english_on(logged_in(in_spanish).get(path)) == []


@pytest.mark.parametrize("path", ["codes/", "codes/new/", "app/remove/", "again/", "passkeys/add/"])
def test_pages_of_the_second_factor_are_in_no_other_language(path: str, in_spanish: User) -> None:
    client = logged_in(in_spanish)
    set_up_app(client)
    answer = client.get(f"/login/second-factor/{path}")
    assert answer.status_code == 200
    assert english_on(answer) == []
    assert "Llaves de acceso ninguna " in seen(client.get(YOU))


def test_what_is_asked_answered_and_refused_is_in_no_other_language(
    account: Account, catalogue: None, in_spanish: User
) -> None:
    client = logged_in(in_spanish)
    assert english_on(client.get(CENTER + "install/")) == []
    assert english_on(client.post(CENTER + "install/", {"edition": "xx"})) == []
    install(account, edition="cc-pro", by=in_spanish, now=INSTALLED)
    wanted = {"seats": 1, "storage": "storage-5", "package": "tf-payperuse", "channels": ["channel-voice"]}
    people = SimpleUploadedFile("people.csv", b"name,email,role,age\nAnn,ann@example.com,Agent,1\nBob,no,,2\n")
    for path, posted in (
        ("subscription/", wanted),
        ("subscription/", {"seats": "x"}),
        ("subscription/total/", wanted),
        ("go-live/", {"wanted_on": "1999-01-01"}),
        ("users/add/", {"name": ""}),
        ("users/import/", {"file": people}),
    ):
        answer = client.post(CENTER + path, posted, follow=True)
        assert answer.status_code in (200, 422), path
        assert english_on(answer) == [], path


@pytest.mark.parametrize("path", LOGIN_PAGES)
def test_a_visitor_is_spoken_to_as_his_browser_asks(path: str, db: None) -> None:
    answer = Client(headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}).get(path)
    assert answer["Content-Language"] == "es"
    assert "Accept-Language" in answer["Vary"]
    assert '<html lang="es">' in answer.content.decode()
    assert Client(headers={"Accept-Language": "fr,de;q=0.5"}).get(path)["Content-Language"] == "en"


def test_a_visitor_chooses_by_a_button_and_is_led_back(db: None) -> None:
    client = Client()
    assert 'name="language" value="es"' in client.get(LOGIN).content.decode()
    answer = client.post("/login/language/", {"language": "es", "next": LOGIN})
    assert answer["Location"] == LOGIN
    assert "Iniciar sesión" in seen(client.get(LOGIN))
    away = client.post("/login/language/", {"language": "en", "next": "https://elsewhere.example.com/"})
    assert away["Location"] == "/"
    client.post("/login/language/", {"language": "es"})
    client.post("/login/language/", {"language": "xx"})
    assert client.get(LOGIN)["Content-Language"] == "es"


def test_a_person_chooses_his_own_and_his_history_says_so(installed: Account, owner: User) -> None:
    client = logged_in(owner)
    answer = client.post(YOU + "language/", {"language": "es"}, follow=True)
    assert "A partir de ahora, las páginas y los correos están en este idioma." in seen(answer)
    owner.refresh_from_db()
    assert owner.language == Language.SPANISH
    latest = owner.history.first()
    assert (latest.language, latest.history_user) == ("es", owner)
    client.post("/logout/")
    assert client.get(LOGIN)["Content-Language"] == "es"


@pytest.mark.parametrize("language", ["xx", "", "en-us", "\N{SNOWMAN}"])
def test_a_language_that_there_is_not_is_refused(language: str, installed: Account, owner: User) -> None:
    client = logged_in(owner)
    with nothing_written():
        answer = client.post(YOU + "language/", {"language": language}, follow=True)
    assert "Choose a language of the list." in seen(answer)


def test_only_who_is_logged_in_has_one_of_his_own(db: None) -> None:
    assert Client().post(YOU + "language/", {"language": "es"})["Location"].startswith(LOGIN)


def test_the_back_office_is_in_english(member: User) -> None:
    member.language = Language.SPANISH
    member.save()
    client = logged_in(member)
    answer = client.get("/admin/")
    assert answer["Content-Language"] == "en"
    assert type(answer["Content-Language"]) is str  # the development server's wsgiref accepts no other type
    assert "The most urgent" in seen(answer)


def test_a_refusal_is_said_in_spanish_and_kept_in_english(installed: Account, in_spanish: User) -> None:
    client = logged_in(in_spanish)
    posted = {"seats": SEAT_LIMIT + 1, "storage": "storage-5", "package": "tf-payperuse", "channels": ["channel-voice"]}
    answer = client.post(CENTER + "subscription/", posted)
    assert answer.status_code == 422
    assert f"puede tener como máximo {SEAT_LIMIT} puestos simultáneos; usted pidió {SEAT_LIMIT + 1}." in seen(answer)
    kept = Refusal.objects.get()
    assert f"it can hold at most {SEAT_LIMIT} concurrent-user seats" in kept.message
    events = seen(client.get("/accounts/100001/audit-log/"))
    assert f"Se intentaron {SEAT_LIMIT + 1} puestos; {SEAT_LIMIT} es el límite durante la puesta en marcha" in events
    assert "Cambiar la suscripción" in events
    assert "Onboarding" not in events


def test_the_locked_package_says_why_in_spanish(installed: Account, in_spanish: User) -> None:
    wanted = Subscription(seats=0, storage="storage-5", package="tf-500", channels=frozenset({"channel-voice"}))
    with translation.override("es"), pytest.raises(ValidationError) as refusal:
        propose_subscription(installed, wanted, by=in_spanish)
    with translation.override("es"):
        assert "sigue siendo Pay-per-use" in refusal.value.messages[0]
    assert "stays at Pay-per-use" in Refusal.objects.get().message


def test_days_and_months_are_written_as_in_each_language() -> None:
    day = date(2026, 3, 16)
    assert (day_in_words(day), month_in_words(day)) == ("March 16, 2026", "March 2026")
    assert days_in_words(day, date(2026, 3, 31)) == "Mar 16–31, 2026"
    with translation.override("es"):
        assert (day_in_words(day), month_in_words(day)) == ("16 de marzo de 2026", "marzo de 2026")
        assert days_in_words(day, date(2026, 3, 31)) == "16–31 mar 2026"
        assert days_in_words(day, day) == "16 mar 2026"


def test_mail_about_a_log_in_is_in_its_language(installed: Account, in_spanish: User) -> None:
    client = logged_in(in_spanish)
    show_password(client)
    client.post(YOU + "address/", {"email": "new@example.com"})
    subjects = {message.to[0]: message.subject for message in delivered()}
    assert subjects["new@example.com"].endswith("Confirme su nuevo correo electrónico")
    assert subjects[in_spanish.email].endswith("Solicitud para cambiar su correo de inicio de sesión")


def test_mail_to_somebody_is_in_his_language_whoever_asks_for_it(installed: Account, in_spanish: User) -> None:
    delivered().clear()
    Client(headers={"Accept-Language": "en"}).post("/login/password/reset/", {"email": in_spanish.email})
    [message] = delivered()
    assert message.subject.endswith("Restablecer su contraseña")
    link = re.search(rf"{SITE}(/login/\S+)", message.body)
    assert link is not None
    browser = Client(headers={"Accept-Language": "en"})
    form = browser.get(link[1], follow=True).redirect_chain[-1][0]
    browser.post(form, {"password1": "another horse battery", "password2": "another horse battery"})
    assert len(delivered()) == 2
    assert "Se restableció su contraseña" in mail.outbox[1].subject


def test_maintenance_speaks_as_the_browser_asks_and_not_as_the_page_before(
    db: None, settings: Any, tmp_path: Path
) -> None:
    settings.MAINTENANCE_FILE = tmp_path / "maintenance"
    english, spanish = (Client(headers={"Accept-Language": language}) for language in ("en", "es"))
    for before, browser, language in ((spanish, english, "en"), (english, spanish, "es")):
        before.get(LOGIN)
        settings.MAINTENANCE_FILE.touch()
        answer = browser.get(LOGIN)
        settings.MAINTENANCE_FILE.unlink()
        assert answer.status_code == 503
        assert f'<html lang="{language}">' in answer.content.decode()
        assert answer["Content-Language"] == language
        assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))


def test_an_address_that_is_not_served_speaks_as_the_browser_asks(db: None) -> None:
    Client(headers={"Accept-Language": "es"}).get(LOGIN)
    answer = Client(headers={"Accept-Language": "en", "Host": "elsewhere.example.com"}).get(LOGIN)
    assert (answer.status_code, answer["Content-Language"]) == (400, "en")
    assert '<html lang="en">' in answer.content.decode()


@pytest.mark.parametrize(
    ("chosen", "language"), [("EN", "en"), ("es-mx", "es"), ("xx", "en"), ("es" * 400, "en"), ("../es", "en")]
)
def test_a_cookie_may_say_anything(chosen: str, language: str, db: None) -> None:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = chosen
    answer = client.get(LOGIN)
    assert answer["Content-Language"] == language
    assert f'<html lang="{language}">' in answer.content.decode()


def test_the_passkeys_form_and_what_its_script_says_are_in_spanish(installed: Account, in_spanish: User) -> None:
    client = logged_in(in_spanish)
    show_password(client)
    page = client.get("/login/second-factor/passkeys/add/").content.decode()
    assert ">Nombre <" in page
    assert 'data-known="Este dispositivo ya tiene' in page
    assert 'data-not-given="No se entregó ninguna' in page


def test_scripts_have_no_words_of_their_own() -> None:
    scripts = sorted((Path(settings.PROJECT) / "static" / "hostpilot").glob("*.js"))
    assert scripts
    for script in scripts:
        code = re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", script.read_text(encoding="utf-8"), flags=re.S)
        quoted = re.findall(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`", code)
        assert [words for words in map("".join, quoted) if re.search(r"\w \w", words) and words != "use strict"] == []


@pytest.mark.parametrize("path", CUSTOMERS, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_words_of_a_template_are_outside_of_a_translation(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"{#.*?#}|<!--.*?-->", "", text, flags=re.S)
    given = re.findall(r"{% (?:nothing|data_table) \"|{%[^%]*\b(?:words|label|title)=\"", text)
    assert given == [], "words that are given to a component are translated too: _(…)"
    text = re.sub(r"{% blocktranslate .*?{% endblocktranslate %}", "", text, flags=re.S)
    text = re.sub(r"<(script|style|svg|pre|code)\b.*?</\1>", "", text, flags=re.S)
    text = re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.S)
    attributes = re.findall(r"\s(?:aria-label|data-label|alt|placeholder|title)=\"([^\"]*)\"", text)
    words = re.sub(r"<[^>]*>|&[a-z]+;", " ", text)
    assert re.findall(r"[^\W\d_]{2,}", f"{words} {' '.join(attributes)}".replace("UTC", "")) == []


def test_every_language_of_the_pages_is_offered(make_user: Callable[..., User]) -> None:
    assert [code for code, _ in settings.LANGUAGES] == list(Language.values)
