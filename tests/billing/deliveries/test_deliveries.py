"""The bill arrives: each document is sent once to each recipient, with the PDF and a link (R39)."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, Contact, Role, User
from billing.actions import issue_credit_note, run_bills, send_document_again, set_billing_profile
from billing.models import Delivery, Invoice
from core.outbox.delivery import send_due
from core.outbox.models import EmailState, OutgoingEmail
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, MARCH, Customers, bill, march
from tests.billing.documents.parties import profile
from tests.billing.papers import written_in
from tests.conftest import PASSWORD, codes
from tests.guarding import refused_by, sql
from tests.mailing import MailServer, text_of

pytestmark = pytest.mark.usefixtures("answered")  # a number that is called
EXERCISED = {"billing_delivery_is_final", "billing_delivery_is_kept", "delivery_names_what_is_there"}


@pytest.fixture
def owing(charged: Account, owner: User) -> Account:
    """An account that owes 76.76 for March, with nothing in the outbox."""
    march(charged, owner)
    settle_others()
    return charged


def settle_others() -> None:
    OutgoingEmail.objects.waiting().update(state=EmailState.DROPPED, settled_at=IN_APRIL)


def add_contact(account: Account, user: User, role: Role) -> None:
    Contact.objects.create(account=account, user=user, role=role)


def addresses() -> list[str]:
    return [delivery.email.address for delivery in Delivery.objects.select_related("email")]


def test_owners_and_billing_managers_get_it_once_and_the_invoice_email_too(
    owing: Account, owner: User, make_user: Callable[..., User]
) -> None:
    bea, tess, vic, gone = (make_user(f"{name}@example.com") for name in ("bill", "tess", "vic", "gone"))
    for user, role in (
        (bea, Role.BILLING), (owner, Role.BILLING), (tess, Role.TECHNICAL), (vic, Role.VIEWER), (gone, Role.BILLING),
    ):  # fmt: skip
        add_contact(owing, user, role)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    set_billing_profile(owing, profile(), by=owner)
    bill()
    assert sorted(addresses()) == ["bill@example.com", "invoices@acme.example.com", "olivia@example.com"]
    assert OutgoingEmail.objects.waiting().count() == 3
    bill()
    assert Delivery.objects.count() == 3


def test_the_invoice_email_of_a_recipient_gets_one_email(owing: Account, owner: User) -> None:
    set_billing_profile(owing, profile(invoice_email=owner.email), by=owner)
    bill()
    assert addresses() == ["olivia@example.com"]


def test_a_dry_run_queues_nothing(owing: Account) -> None:
    bill(dry_run=True)
    assert not Delivery.objects.exists()
    assert not OutgoingEmail.objects.waiting().exists()


def test_a_run_queues_all_emails_in_one_statement(customers: Customers) -> None:
    customers(3)
    settle_others()
    with CaptureQueriesContext(connection) as queries:
        bill()
    assert Delivery.objects.count() == 3
    assert len([query for query in queries if "INSERT INTO billing_delivery" in query["sql"]]) == 1


def sent(mailoutbox: list[EmailMultiAlternatives]) -> EmailMultiAlternatives:
    report = send_due()
    assert (report.sent, report.put_off, report.failed, report.unreachable) == (len(mailoutbox), 0, 0, "")
    [mail] = mailoutbox
    return mail


@pytest.mark.django_db(transaction=True)
def test_the_email_has_the_document_and_a_link_to_it(
    owing: Account, owner: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    bill()
    mail = sent(mailoutbox)
    assert mail.subject == "Invoice INV-000001 for March 2026 from Example Telecom, Inc."
    assert mail.to == ["olivia@example.com"]
    assert "Your invoice for March 2026 is attached: $76.76 for Acme Support, due May 2, 2026." in str(mail.body)
    [(name, content, kind)] = mail.attachments
    assert (name, kind) == ("INV-000001.pdf", "application/pdf")
    assert isinstance(content, bytes)
    assert "$76.76" in written_in(content)
    link = re.search(r"https?://[^/]+(/\S+)", str(mail.body))
    assert link
    client = Client()
    login = client.get(link[1], follow=True)
    assert "/login/" in login.redirect_chain[-1][0]
    answer = client.post(login.redirect_chain[-1][0], {"login": owner.email, "password": PASSWORD}, follow=True)
    shown = answer.content.decode()
    assert "INV-000001 · March 2026" in shown
    assert "Sent to olivia@example.com on" in shown
    assert client.get("/accounts/100001/billing/invoices/1/pdf/").content == content


@pytest.mark.django_db(transaction=True)
def test_the_email_is_in_the_readers_language_and_the_document_in_its_own(
    owing: Account, owner: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    User.objects.filter(pk=owner.pk).update(language="es")
    bill()
    mail = sent(mailoutbox)
    assert mail.subject == "Factura INV-000001 de marzo de 2026, de Example Telecom, Inc."
    assert "con vencimiento el 2 de mayo de 2026" in str(mail.body)
    assert "Please pay $76.76 by May 2, 2026." in written_in(mail.attachments[0][1])


@pytest.mark.django_db(transaction=True)
def test_the_invoice_email_is_told_why_it_gets_it(
    owing: Account, owner: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    set_billing_profile(owing, profile(language="es"), by=owner)
    Contact.objects.filter(account=owing).delete()
    bill()
    mail = sent(mailoutbox)
    assert mail.to == ["invoices@acme.example.com"]
    assert "porque es el correo electrónico para facturas de Acme Support" in str(mail.body)


@pytest.mark.django_db(transaction=True)
def test_a_credit_note_is_sent_too(
    owing: Account, biller: User, owner: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    bill()
    settle_others()
    issue_credit_note(owing, Invoice.objects.get(), amount=Decimal(5), reason="Sorry", by=biller, now=IN_APRIL)
    mail = sent(mailoutbox)
    assert mail.subject == "Credit note CN-000001 for INV-000001 from Example Telecom, Inc."
    assert "Credit note CN-000001 for $5.00 on invoice INV-000001 of Acme Support is attached." in str(mail.body)
    assert mail.attachments[0][0] == "CN-000001.pdf"


@pytest.mark.django_db(transaction=True)
def test_who_is_no_longer_a_contact_gets_nothing(owing: Account, mailoutbox: list[EmailMultiAlternatives]) -> None:
    bill()
    Contact.objects.filter(account=owing).delete()
    report = send_due()
    assert (report.sent, report.dropped) == (0, 1)
    assert mailoutbox == []
    assert "no longer an active owner" in OutgoingEmail.objects.get(kind="document").error


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    server.stop()


@pytest.mark.django_db(transaction=True)
def test_an_email_that_is_sent_twice_has_the_same_message_id(
    owing: Account, owner: User, mail_server: MailServer
) -> None:
    """As when a worker is killed between the server's answer and the commit."""
    bill()
    send_due()
    sql("SET session_replication_role = replica")
    OutgoingEmail.objects.filter(kind="document").update(state=EmailState.WAITING, settled_at=None)
    sql("SET session_replication_role = origin")
    send_due()
    first, second = mail_server.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].startswith("<document.")
    assert "Your invoice for March 2026" in text_of(first)


def page(invoice: Invoice, name: str) -> str:
    return reverse("admin:billing_invoice_change", args=[invoice.pk]).replace("change/", name)


def test_staff_see_the_emails_and_send_them_again(owing: Account, biller: User, client: Client) -> None:
    bill()
    invoice = Invoice.objects.get()
    client.force_login(biller)
    assert "olivia@example.com" in client.get(page(invoice, "change/")).content.decode()
    assert (
        "INV-000001 of Acme Support (100001) is sent again" in client.get(page(invoice, "send-again/")).content.decode()
    )
    answer = client.post(page(invoice, "send-again/"), {"seen": 1}, follow=True)
    assert "1 email is queued with INV-000001." in answer.content.decode()
    assert "Sent again by" in answer.content.decode()
    assert [delivery.again_by for delivery in Delivery.objects.all()] == [None, biller]
    assert OutgoingEmail.objects.waiting().count() == 2
    answer = client.post(page(invoice, "send-again/"), {"seen": 1}, follow=True)
    assert "INV-000001 was just sent again." in answer.content.decode()
    assert OutgoingEmail.objects.waiting().count() == 2


def test_bills_come_after_other_email(owing: Account) -> None:
    bill()
    assert list(OutgoingEmail.objects.waiting().values_list("can_wait", flat=True)) == [True]


def test_it_is_sent_again_to_the_invoice_email_of_today(owing: Account, owner: User, biller: User) -> None:
    set_billing_profile(owing, profile(invoice_email="invoices@acme.con"), by=owner)
    bill()
    set_billing_profile(owing, profile(invoice_email="invoices@acme.com"), by=owner)
    settle_others()
    invoice = Invoice.objects.get()
    note = issue_credit_note(owing, invoice, amount=Decimal(5), reason="Sorry", by=biller, now=IN_APRIL)
    settle_others()
    for document in (invoice, note):
        send_document_again(owing, document, by=biller)
    waiting = OutgoingEmail.objects.waiting().values_list("address", flat=True)
    assert sorted(waiting) == 2 * ["invoices@acme.com"] + 2 * ["olivia@example.com"]


def test_a_bill_that_was_not_delivered_is_noticed_until_it_is_sent_again(
    owing: Account, biller: User, client: Client
) -> None:
    bill()
    invoice = Invoice.objects.get()
    issue_credit_note(owing, invoice, amount=Decimal(5), reason="Sorry", by=biller, now=IN_APRIL)
    client.force_login(biller)
    lists = [reverse(f"admin:billing_{name}_changelist") for name in ("invoice", "creditnote")]

    def noticed() -> tuple[dict[str, int], list[int]]:
        answers = [client.get(each, {"email": "failed"}) for each in lists]
        menu = [item for group in answers[0].context["sidebar_navigation"] for item in group["items"]]
        badges = {item["title"]: item["badge"] for item in menu if "badge" in item}
        return badges, [len(answer.context["cl"].result_list) for answer in answers]

    assert noticed() == ({}, [0, 0])
    OutgoingEmail.objects.filter(kind="document").update(state=EmailState.FAILED, settled_at=IN_APRIL)
    assert noticed() == ({"Invoices": 1, "Credit notes": 1}, [1, 1])
    send_document_again(owing, invoice, by=biller)
    assert noticed() == ({"Credit notes": 1}, [0, 1])


def test_one_that_fails_again_is_noticed_though_others_were_sent_with_it(
    owing: Account, owner: User, biller: User
) -> None:
    set_billing_profile(owing, profile(), by=owner)
    bill()
    OutgoingEmail.objects.filter(kind="document").update(state=EmailState.FAILED, settled_at=IN_APRIL)
    assert Delivery.objects.undelivered().count() == 2
    send_document_again(owing, Invoice.objects.get(), by=biller)
    assert not Delivery.objects.undelivered().exists()
    first = Delivery.objects.filter(again_by=biller).earliest("pk")
    OutgoingEmail.objects.filter(pk=first.pk).update(state=EmailState.FAILED, settled_at=IN_APRIL)
    assert list(Delivery.objects.undelivered()) == [first]


def test_a_credit_note_is_sent_again(owing: Account, biller: User, client: Client) -> None:
    bill()
    note = issue_credit_note(owing, Invoice.objects.get(), amount=Decimal(5), reason="Sorry", by=biller, now=IN_APRIL)
    client.force_login(biller)
    change = reverse("admin:billing_creditnote_change", args=[note.pk])
    assert client.post(change.replace("change/", "send-again/"), {"seen": 1}).status_code == 302
    assert Delivery.objects.filter(note=note, again_by=biller).count() == 1


@pytest.mark.parametrize("who", ["member", "supporter"])
def test_only_the_billing_team_sends_again(
    owing: Account, who: str, request: pytest.FixtureRequest, client: Client
) -> None:
    bill()
    user = request.getfixturevalue(who)
    client.force_login(user)
    invoice = Invoice.objects.get()
    assert "Send again…" not in client.get(page(invoice, "change/")).content.decode()
    assert client.post(page(invoice, "send-again/")).status_code == 403
    with pytest.raises(PermissionDenied):
        send_document_again(owing, invoice, by=user)
    assert Delivery.objects.count() == 1


def test_where_nobody_would_get_it_staff_are_told(owing: Account, biller: User) -> None:
    Contact.objects.filter(account=owing).delete()
    bill()
    assert not Delivery.objects.exists()
    with pytest.raises(ValidationError) as refusal:
        send_document_again(owing, Invoice.objects.get(), by=biller)
    assert codes(refusal.value) == {("__all__", "no_recipient")}


def test_to_whom_it_was_sent_stays(owing: Account) -> None:
    bill()
    for statement in ("UPDATE billing_delivery SET to_id = NULL", "DELETE FROM billing_delivery"):
        with refused_by("billing_delivery_is_final"):
            sql(statement)
    with refused_by("billing_delivery_is_kept"):
        sql("SET LOCAL guards.truncate = 'refused'; TRUNCATE billing_delivery")


COPY = """
    WITH mail AS (
        INSERT INTO core_outgoingemail (kind, address, data) VALUES ('{kind}', 'x@example.com', '{{}}') RETURNING id)
    INSERT INTO billing_delivery (email_id, invoice_id, note_id, to_id, again_by_id)
    SELECT mail.id, {invoice}, {note}, {to}, {again} FROM mail, billing_invoice"""


@pytest.mark.parametrize(
    ("other", "guard"),
    [
        ({"to": "(SELECT to_id FROM billing_delivery)"}, "invoice_is_sent_once"),
        ({"invoice": "0"}, "delivery_names_what_is_there"),
        ({"invoice": "NULL", "note": "0"}, "delivery_names_what_is_there"),
        ({"to": "0"}, "delivery_names_what_is_there"),
        ({"again": "0"}, "delivery_names_what_is_there"),
        ({"kind": "notice"}, "delivery_names_what_is_there"),
        ({"invoice": "NULL"}, "delivery_is_of_one_document"),
        ({"note": "0"}, "delivery_is_of_one_document"),
    ],
)
def test_no_email_of_nothing_and_none_twice(owing: Account, other: dict[str, str], guard: str) -> None:
    bill()
    values = {"kind": "document", "invoice": "billing_invoice.id", "note": "NULL", "to": "NULL", "again": "NULL"}
    with refused_by(guard):
        sql(COPY.format(**{**values, **other}))


def test_an_invoice_of_before_is_not_sent_by_the_upgrade(owing: Account, owner: User) -> None:
    """What was issued before has no emails; the next month has."""
    bill()
    sql("SET session_replication_role = replica; DELETE FROM billing_delivery")
    sql("SET session_replication_role = origin")
    run_bills(MARCH, now=IN_APRIL)
    assert not Delivery.objects.exists()
    run_bills(APRIL, now=IN_MAY)
    assert {delivery.invoice.month for delivery in Delivery.objects.all() if delivery.invoice} == {APRIL}
