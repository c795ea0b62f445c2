"""A document as people read it: the texts of the page and the PDF, from nothing but what is kept with it (I22)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import QuerySet

from billing.documents.presentation import items_of, sentences_of
from billing.models import CreditNote, Document, Invoice, Issuer
from billing.models.parties import Party
from billing.pricing.charges import Line
from billing.wording import Sentences
from core.money import money


@dataclass(frozen=True)
class PaperParty:
    """A party, as it is printed."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class PaperLine:
    """A line: what it is about, how its amount was calculated, its days, and the amount."""

    title: str
    how: str
    days: str
    amount: str


@dataclass(frozen=True)
class PaperTotal:
    """An amount under the lines; the most important one is `strong`."""

    label: str
    amount: str
    strong: bool = True


@dataclass(frozen=True)
class PaperNote:
    """A text under the amounts. Its lines stay lines."""

    title: str
    text: str


@dataclass(frozen=True)
class Paper:
    """All texts of a document, in its language. `template` is the version of the templates that it is printed with."""

    template: int
    lang: str
    title: str
    heading: str
    number: str
    brand: str
    author: str
    issued: str
    details: Sequence[tuple[str, str]]
    parties: Sequence[PaperParty]
    columns: Sequence[str]
    lines: Sequence[PaperLine]
    totals: Sequence[PaperTotal]
    notes: Sequence[PaperNote]
    page: str

    def as_json(self) -> dict[str, Any]:
        """Return the texts as plain values, in the form that the templates take."""
        return asdict(self)


def printed_invoices(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Return the invoices with everything that their papers are made from. Two queries, however many they are."""
    return invoices.select_related("document__presentation", "document__issuer", "document__profile").prefetch_related(
        "lines"
    )


def printed_notes(notes: QuerySet[CreditNote]) -> QuerySet[CreditNote]:
    """Return the credit notes with everything that their papers are made from. One query."""
    return notes.select_related("invoice", "document__presentation", "document__issuer", "document__profile")


def invoice_paper(invoice: Invoice) -> Paper:
    """Return the texts of an invoice. A total below zero is headed Credit (billing-policy.md, 19)."""
    document = invoice.document
    writer = _Writer(document)
    sentences = writer.sentences
    details = [(sentences.text("invoice date"), sentences.day(document.issued_on))]
    if invoice.due_on:
        details.append((sentences.text("due date"), sentences.day(invoice.due_on)))
    details.append((sentences.text("billing month"), f"{sentences.month(invoice.month)} ({document.timezone})"))
    items = items_of(document.presentation, document.language)
    return writer.paper(
        sentences.text("credit" if invoice.is_credit else "invoice"),
        invoice.title,
        details=details,
        lines=[writer.line(line.value, items) for line in invoice.lines.all()],
        total=PaperTotal(sentences.text("total"), money(invoice.total)),
        notes=list(_how_to_pay(invoice, document.issuer, sentences)),
    )


def credit_note_paper(note: CreditNote) -> Paper:
    """Return the texts of a credit note."""
    document = note.document
    writer = _Writer(document)
    sentences = writer.sentences
    title = sentences.text("credit for", invoice=note.invoice.title)
    return writer.paper(
        sentences.text("credit note"),
        note.title,
        details=[
            (sentences.text("credit note date"), sentences.day(document.issued_on)),
            (sentences.text("for invoice"), note.invoice.title),
        ],
        lines=[PaperLine(title, note.reason, sentences.month(note.invoice.month), money(note.amount))],
        total=PaperTotal(sentences.text("credited"), money(note.amount)),
        notes=[PaperNote("", sentences.text("a credit"))],
    )


class _Writer:
    """Writes the parts that documents have in common."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.content = document.presentation.content
        self.sentences = sentences_of(document.presentation, document.language)

    def paper(
        self,
        heading: str,
        number: str,
        *,
        details: Sequence[tuple[str, str]],
        lines: Sequence[PaperLine],
        total: PaperTotal,
        notes: Sequence[PaperNote],
    ) -> Paper:
        sentences, document, issuer = self.sentences, self.document, self.document.issuer
        return Paper(
            template=self.content["template"],
            lang=document.language,
            title=f"{heading} {number}",
            heading=heading,
            number=number,
            brand=self.content["brand"],
            author=issuer.legal_name if issuer else self.content["brand"],
            issued=document.issued_on.isoformat(),
            details=[*details, *self._details_of_the_customer()],
            parties=[self._issuer(), self._recipient()],
            columns=[sentences.text("description"), sentences.text("period"), sentences.text("amount")],
            lines=lines,
            totals=[total],
            notes=[*notes, *self._questions(issuer)],
            page=sentences.text("page"),
        )

    def line(self, line: Line, items: dict[str, tuple[str, str]]) -> PaperLine:
        sentences = self.sentences
        return PaperLine(
            sentences.title(line, items), sentences.arithmetic(line), sentences.days_of(line), money(line.amount)
        )

    def _details_of_the_customer(self) -> Iterator[tuple[str, str]]:
        yield self.sentences.text("account"), self.document.account_number
        if self.document.profile and self.document.profile.purchase_order:
            yield self.sentences.text("purchase order"), self.document.profile.purchase_order

    def _issuer(self) -> PaperParty:
        issuer = self.document.issuer
        return PaperParty(
            self.sentences.text("from"), list(self._address(issuer)) if issuer else [self.content["brand"]]
        )

    def _recipient(self) -> PaperParty:
        profile = self.document.profile
        lines = list(self._address(profile)) if profile else [self.document.company]
        return PaperParty(self.sentences.text("bill to"), lines)

    def _address(self, party: Party) -> Iterator[str]:
        """Yield the lines of a name and address."""
        countries = self.content["countries"][self.document.language]
        code = str(party.country)
        yield from filter(None, [party.legal_name, party.street, party.street_2, party.town, countries.get(code, code)])
        if party.tax_number:
            yield self.sentences.text("tax number", number=party.tax_number)

    def _questions(self, issuer: Issuer | None) -> Iterator[PaperNote]:
        if issuer:
            contact = [issuer.contact_name, issuer.email, issuer.phone]
            yield PaperNote(self.sentences.text("questions"), " · ".join(filter(None, contact)))


def payment_sentence(invoice: Invoice, sentences: Sentences) -> str:
    """Return what to pay until which day, or that there is nothing to pay; empty if the document has no such day."""
    if invoice.due_on:
        return sentences.text("pay by", amount=money(invoice.total), day=sentences.day(invoice.due_on))
    if invoice.total > 0:
        return ""
    return sentences.text("a credit" if invoice.is_credit else "nothing to pay")


def _how_to_pay(invoice: Invoice, issuer: Issuer | None, sentences: Sentences) -> Iterator[PaperNote]:
    sentence = payment_sentence(invoice, sentences)
    if invoice.total <= 0:
        yield PaperNote("", sentence)
    elif issuer and sentence:
        parts = filter(None, [sentence, issuer.payment_instructions, sentences.text("payments")])
        yield PaperNote(sentences.text("how to pay"), "\n".join(parts))
