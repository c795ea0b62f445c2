"""The text of notices: complete, in the recipient's language, with the account's local days, and without scripts."""

import gettext
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings as project
from django.core import mail
from django.utils.translation.template import templatize

from accounts.models import Account, Contact, Language, Role, User
from core.outbox.delivery import send_due
from onboarding.actions import activate
from onboarding.models import Notice, NoticeKind, Onboarding
from onboarding.notices.enqueue import enqueue
from onboarding.notices.messages import Batch
from onboarding.rules import SEAT_LIMIT
from subscriptions.actions import change_subscription, install
from subscriptions.catalogue import contact_center_of, held_by
from tests.onboarding.notices.test_sending import NOON, settle_others

CATALOGUE = project.PROJECT / "locale" / "es" / "LC_MESSAGES" / "django.po"
DATA = {kind: dict(kind.about.example) for kind in NoticeKind}
EVERY_KIND = pytest.mark.parametrize("kind", list(NoticeKind))


@pytest.fixture
def letter(installed: Account, member: User) -> Callable[..., mail.EmailMultiAlternatives]:
    """Return a function that sends one notice of a kind to Olivia, and returns the email."""

    def send(kind: NoticeKind, now: datetime = NOON, **data: str) -> mail.EmailMultiAlternatives:
        if kind == NoticeKind.ACTIVATED:
            activate(installed, by=member, reason="Ready", now=now)
        Onboarding.objects.update(announced_for=(DATA[kind] | data).get("activates_on"))
        settle_others()
        enqueue([installed.pk], kind, occasion="this", now=now, data=DATA[kind] | data)
        done = send_due(now)
        assert (done.sent, Notice.objects.get(occasion="this").email.error) == (1, "")
        [message] = mail.outbox
        assert isinstance(message, mail.EmailMultiAlternatives)
        return message

    return send


def html(message: mail.EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


class Reader(HTMLParser):
    """Collects the text, tags and links of a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.words, self.tags, self.links = "", [], []  # type: ignore[var-annotated]
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_data(self, data: str) -> None:
        self.words += data


@EVERY_KIND
def test_each_names_the_account_and_has_one_link(kind: NoticeKind, letter: Callable[..., Any]) -> None:
    message = letter(kind)
    for words in (message.body, Reader(html(message)).words):
        assert "Acme Support, account 100001" in " ".join(words.split())
        assert "Hello Olivia," in words
        assert not re.search(r"None|[{}]|%\(", words.partition("</style>")[2] or message.body)
    assert "Acme Support (100001)" in message.subject
    assert message.from_email == "HostPilot <hostpilot@example.com>"
    [link] = re.findall(r"https?://\S+", message.body)
    assert Reader(html(message)).links == [link]
    assert link.startswith("http://localhost:8000/accounts/100001/")


@EVERY_KIND
def test_the_link_leads_where_the_person_may_go(
    kind: NoticeKind, letter: Callable[..., Any], owner: User, client: Any
) -> None:
    [link] = re.findall(r"http://localhost:8000(\S+)", letter(kind).body)
    client.force_login(owner)
    assert client.get(link, follow=True).status_code == 200


@pytest.mark.parametrize("kind", [NoticeKind.SOON, NoticeKind.TOMORROW, NoticeKind.ACTIVATED])
def test_who_only_pays_is_led_to_billing(
    kind: NoticeKind, installed: Account, owner: User, letter: Callable[..., Any], client: Any
) -> None:
    Contact.objects.filter(user=owner).update(role=Role.BILLING)
    message = letter(kind)
    [link] = re.findall(r"http://localhost:8000(\S+)", message.body)
    assert "Open Billing" in message.body
    client.force_login(owner)
    assert client.get(link).status_code == 200


@EVERY_KIND
def test_machines_know_that_no_person_wrote_it(kind: NoticeKind, letter: Callable[..., Any]) -> None:
    sent = letter(kind).message()
    assert (sent["Auto-Submitted"], sent["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert sent["Content-Language"] == "en"
    assert re.fullmatch(r"<notice\.\d+\.\d{20}@localhost>", sent["Message-ID"])


@EVERY_KIND
def test_spanish_is_spanish_to_the_end(kind: NoticeKind, owner: User, letter: Callable[..., Any]) -> None:
    User.objects.filter(pk=owner.pk).update(language=Language.SPANISH)
    message = letter(kind, answer="Vale.") if kind == NoticeKind.ANSWERED else letter(kind)
    words = f"{message.subject} {message.body} {Reader(html(message)).words}"
    assert "Hola, Olivia:" in words
    assert "cuenta 100001" in words
    assert '<html lang="es">' in html(message)
    english = r"(the|account|your|you|bill|month|day|live|seats?|January|March|May|Tuesday|Friday)"
    assert re.findall(rf"\b{english}\b", re.sub(r"http\S+", "", words)) == []


@pytest.mark.parametrize(
    ("language", "day"),
    [(Language.ENGLISH, "Tuesday, March 17, 2026"), (Language.SPANISH, "martes 17 de marzo de 2026")],
)
def test_days_are_written_as_the_language_does(
    owner: User, letter: Callable[..., Any], language: Language, day: str
) -> None:
    User.objects.filter(pk=owner.pk).update(language=language)
    message = letter(NoticeKind.SOON)
    assert day in message.subject
    assert day in message.body
    assert day in html(message)


@pytest.mark.parametrize(
    ("zone", "day", "month"),
    [
        ("Pacific/Auckland", "Wednesday, April 1, 2026", "April 2026"),
        ("America/New_York", "Tuesday, March 31, 2026", "March 2026"),
    ],
)
def test_days_are_those_of_the_account(
    make_account: Callable[..., Account],
    catalogue: None,
    owner: User,
    member: User,
    zone: str,
    day: str,
    month: str,
) -> None:
    account = make_account("100009", owner=owner, timezone=zone)
    install(account, edition="cc-pro", by=owner, now=datetime(2026, 3, 5, tzinfo=UTC))
    moment = datetime(2026, 3, 31, 16, tzinfo=UTC)
    activate(account, by=member, reason="Ready", now=moment)
    settle_others()
    enqueue([account.pk], NoticeKind.ACTIVATED, occasion="this", now=moment)
    assert send_due(moment).sent == 1
    body = mail.outbox[0].body
    assert f"has been live since {day}." in body
    assert f"First bill, {month}:" in body


def buy_seats(account: Account, by: User) -> None:
    change_subscription(account, replace(held_by(contact_center_of(account)), seats=2), by=by, now=NOON)


@pytest.mark.parametrize("kind", [NoticeKind.SOON, NoticeKind.TOMORROW])
def test_a_warning_says_what_will_be_charged(
    kind: NoticeKind, installed: Account, owner: User, letter: Callable[..., Any]
) -> None:
    buy_seats(installed, owner)
    message = letter(kind)
    for words in (message.body, html(message)):
        assert "2 seats · Voice" in words
        # Two seats of $70.00, and everything else is included. From March 17 on, it is 15 of 31 days.
        assert "$140.00" in words
        assert "$67.74" in words
    assert "First bill, March 2026: $67.74" in message.body


def test_an_activation_says_since_when_and_what_is_charged(
    installed: Account, owner: User, letter: Callable[..., Any]
) -> None:
    buy_seats(installed, owner)
    body = letter(NoticeKind.ACTIVATED).body
    assert "has been live since Tuesday, March 10, 2026." in body
    assert "Each whole month: $140.00" in body
    assert "First bill, March 2026: $99.35" in body  # 22 of 31 days


def test_an_install_says_what_the_mode_means(letter: Callable[..., Any]) -> None:
    body = letter(NoticeKind.INSTALLED).body
    for said in (
        "Contact Center Pro is installed",
        "onboarding mode",
        f"up to {SEAT_LIMIT}",
        "stays at Pay-per-use",
        "go live",
    ):
        assert said in body


def test_an_answer_is_passed_on_in_its_own_lines(letter: Callable[..., Any]) -> None:
    message = letter(NoticeKind.ANSWERED, answer="On Friday.\nBring <coffee> & cake.")
    assert "On Friday.\nBring <coffee> & cake." in message.body
    assert "On Friday.<br>Bring &lt;coffee&gt; &amp; cake." in html(message)


@pytest.mark.parametrize(
    ("deadline", "said"),
    [("2026-05-01", "now lasts until Friday, May 1, 2026 at the latest"), ("", "does not end by itself")],
)
def test_a_deadline_is_told_without_the_reason_which_is_the_teams_own(
    letter: Callable[..., Any], deadline: str, said: str
) -> None:
    message = letter(NoticeKind.EXTENDED, deadline=deadline, reason="They are late with everything")
    assert said in message.body
    assert said in " ".join(html(message).split())
    assert "late with everything" not in message.body + html(message)


@EVERY_KIND
def test_what_somebody_wrote_acts_nowhere(
    kind: NoticeKind, installed: Account, owner: User, letter: Callable[..., Any]
) -> None:
    company = 'A & B</title><script>alert("1")</script>\r\nBcc: all@example.com\u2028{{ brand }} %(day)s'
    Account.objects.filter(pk=installed.pk).update(company=company)
    User.objects.filter(pk=owner.pk).update(first_name="O<b>l\nivia")
    message = letter(kind)
    sent = message.message()
    assert (sent["Bcc"], sent["To"], message.recipients()) == (None, owner.email, [owner.email])
    assert "\n" not in message.subject
    assert 'A & B</title><script>alert("1")</script> Bcc: all@example.com {{ brand }} %(day)s' in message.subject
    read = Reader(html(message))
    assert not {"script", "b"} & set(read.tags)
    assert 'A & B</title><script>alert("1")</script> Bcc: all@example.com' in read.words


def test_a_brand_of_ones_own_is_the_sender(settings: Any, letter: Callable[..., Any]) -> None:
    settings.BRAND_NAME, settings.SITE_URL = "Ünser, Panel", "https://panel.example.com"
    message = letter(NoticeKind.INSTALLED)
    sender = message.message()["From"]
    assert sender.endswith("<hostpilot@example.com>")
    assert "https://panel.example.com/accounts/100001/" in message.body
    assert "Ünser, Panel sends you this" in message.body
    assert message.message()["Message-ID"].endswith("@panel.example.com>")


def test_what_a_batch_needs_is_fetched_once_for_a_batch() -> None:
    batch, fetched = Batch([]), []
    for _ in range(3):
        assert batch.once("fact", lambda: fetched.append(1) or 7) == 7  # type: ignore[func-returns-value]
    assert fetched == [1]


def messages_of(po: str) -> dict[Any, str]:
    """Return the translations in a .po file by their source; plurals by (source, number of the form)."""

    def text(lines: str) -> str:
        return "".join(re.findall(r'"(.*)"', lines)).encode().decode("unicode_escape").encode("latin-1").decode()

    found: dict[Any, str] = {}
    for entry in po.strip().split("\n\n")[1:]:
        parts = re.findall(r'^(msg\w+(?:\[\d\])?) ((?:".*"\n?)+)', entry, re.MULTILINE)
        context = text(dict(parts).get("msgctxt", ""))
        source = f"{context}\x04{text(dict(parts)['msgid'])}" if context else text(dict(parts)["msgid"])
        for name, lines in parts:
            if name == "msgstr":
                found[source] = text(lines)
            elif name.startswith("msgstr["):
                found[source, int(name[7])] = text(lines)
    return found


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|{\w+}", text))


def test_the_compiled_catalogue_is_the_written_one_and_complete() -> None:
    written = messages_of(CATALOGUE.read_text())
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    del compiled[""]
    assert written == compiled, "run `make messages`"
    assert "fuzzy" not in CATALOGUE.read_text()
    for source, translated in written.items():
        assert translated
        if isinstance(source, str):  # a plural form can leave out the count, so plurals are not compared
            assert placeholders(translated) == placeholders(source)


TEMPLATES = project.PROJECT / "templates"


@pytest.mark.parametrize(
    "template",
    sorted(
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.*")
        if path.relative_to(TEMPLATES).parts[0] != "admin"
    ),
)
def test_every_sentence_of_the_templates_is_in_the_catalogue(template: str) -> None:
    source = (TEMPLATES / template).read_text()
    said, quoted = templatize(source), r"u?'((?:[^'\\]|\\.)*)'"
    sentences = [
        *("".join(found) for found in re.findall(rf"""(?<!p)gettext\({quoted}[,)]|_\("(.*?)"\)""", said)),
        *("\x04".join(found) for found in re.findall(rf"pgettext\({quoted}, *{quoted}\)", said)),
    ]
    assert bool(sentences) == ("translate" in source)
    known = messages_of(CATALOGUE.read_text())
    assert [words for words in sentences if not {words, (words, 0)} & known.keys()] == []
