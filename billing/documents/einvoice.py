"""A document for machines: the XML of EN 16931 (CII, as in Factur-X), from nothing but what is kept with it (R40, I22).

BT, BG and BR are the standard's numbers of terms, groups and rules. Amounts exclude taxes, so everything is in category
O, outside the scope of tax. VAT identifiers are forbidden there (BR-O-02): tax numbers are given as registrations.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree

from drafthorse.models.accounting import ApplicableTradeTax, TradeAllowanceCharge
from drafthorse.models.document import Document as Standard
from drafthorse.models.note import IncludedNote
from drafthorse.models.party import TradeParty
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.tradelines import LineItem

from billing.documents.paper import payment_sentence
from billing.documents.presentation import items_of, sentences_of
from billing.models import CreditNote, Invoice
from billing.models.documents import Document
from billing.models.parties import Party
from billing.pricing.charges import A_DAY, ADJUSTMENT, RECURRING, Line, month_after
from billing.wording import Sentences

GUIDELINE: Final = "urn:cen.eu:en16931:2017"
INVOICE: Final = "380"  # BT-3
CREDIT_NOTE: Final = "381"
USD: Final = "USD"
OUTSIDE_THE_SCOPE_OF_TAX: Final = "O"
REASON_CODE: Final = "VATEX-EU-O"  # BT-121
IN_WORDS: Final = "1"  # BT-81: the means of payment is not one of the code list
EMAIL: Final = "EM"
DAY, MINUTE, ONE = "DAY", "MIN", "C62"
NOT_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def invoice_xml(invoice: Invoice) -> bytes | None:
    """Return the XML of an invoice, or None if its document has none (`has_xml`).

    A total below zero stays below zero, so that each amount is the one on paper.
    """
    document = invoice.document
    if not document.has_xml:
        return None
    writer = _Writer(document, INVOICE, invoice.title)
    sentences = writer.sentences
    items = items_of(document.presentation, document.language)
    for line in invoice.lines.all():
        writer.add(_item(line.value, sentences, items))
    writer.set_month(invoice.month)
    writer.set_terms(payment_sentence(invoice, sentences), invoice.due_on)
    if invoice.due_on:
        writer.say_how_to_pay()
    return writer.xml(invoice.total)


def credit_note_xml(note: CreditNote) -> bytes | None:
    """Return the XML of a credit note, or None if its document has none (`has_xml`)."""
    if not note.document.has_xml:
        return None
    writer = _Writer(note.document, CREDIT_NOTE, note.title)
    item = LineItem()
    item.product.name = writer.sentences.text("credit for", invoice=note.invoice.title)
    item.product.description = note.reason
    item.delivery.billed_quantity = (1, ONE)
    item.agreement.net.amount = note.amount
    item.settlement.monetary_summation.total_amount = note.amount
    writer.add(item)
    writer.set_month(note.invoice.month)
    writer.refer_to(note.invoice)
    writer.set_terms(writer.sentences.text("a credit"))
    return writer.xml(note.amount)


class _Writer:
    """Writes what documents have in common."""

    def __init__(self, document: Document, code: str, number: str) -> None:
        assert document.issuer
        assert document.profile
        self.sentences = sentences_of(document.presentation, document.language)
        self.issuer = document.issuer
        self.root = Standard()
        self.root.context.guideline_parameter.id = GUIDELINE
        header, trade = self.root.header, self.root.trade
        header.id, header.type_code, header.issue_date_time = number, code, document.issued_on
        trade.settlement.currency_code = USD
        agreement = trade.agreement
        _describe(agreement.seller, self.issuer, self.issuer.email)
        agreement.seller.contact.person_name = self.issuer.contact_name
        agreement.seller.contact.telephone.number = self.issuer.phone
        agreement.seller.contact.email.address = self.issuer.email
        _describe(agreement.buyer, document.profile, document.profile.invoice_email)
        agreement.buyer.id = document.account_number
        agreement.buyer_order.issuer_assigned_id = document.profile.purchase_order

    def add(self, item: LineItem) -> None:
        items = self.root.trade.items
        item.document.line_id = str(len(items.children) + 1)
        item.settlement.trade_tax.type_code = "VAT"
        item.settlement.trade_tax.category_code = OUTSIDE_THE_SCOPE_OF_TAX
        items.add(item)

    def set_month(self, month: date) -> None:
        """Write the period, and its last day as that of the delivery (BT-72), since that group must not be empty."""
        period, last = self.root.trade.settlement.period, month_after(month) - A_DAY
        period.start, period.end = month, last
        self.root.trade.delivery.event.occurrence = last

    def refer_to(self, invoice: Invoice) -> None:
        self.root.trade.settlement.invoice_referenced_document.issuer_assigned_id = invoice.title

    def say_how_to_pay(self) -> None:
        """Write the instructions (BG-16), and that payments are not shown."""
        if self.issuer.payment_instructions:
            means = PaymentMeans()
            means.type_code = IN_WORDS
            means.information.add(self.issuer.payment_instructions)
            self.root.trade.settlement.payment_means.add(means)
        note = IncludedNote()
        note.content = self.sentences.text("payments")
        self.root.header.notes.add(note)

    def set_terms(self, sentence: str, due_on: date | None = None) -> None:
        """Write the terms of payment. A credit note needs them too, since it has an amount due (BR-CO-25)."""
        terms = PaymentTerms()
        terms.description = sentence
        if due_on:
            terms.due = due_on
        self.root.trade.settlement.terms.add(terms)

    def xml(self, total: Decimal) -> bytes:
        """Return the XML with its totals, without characters that XML can't have."""
        settlement = self.root.trade.settlement
        tax = ApplicableTradeTax()
        tax.type_code = "VAT"
        tax.calculated_amount, tax.basis_amount = Decimal("0.00"), total
        tax.category_code, tax.exemption_reason_code = OUTSIDE_THE_SCOPE_OF_TAX, REASON_CODE
        tax.exemption_reason = self.sentences.text("outside the scope of tax")
        settlement.trade_tax.add(tax)
        sums = settlement.monetary_summation
        sums.line_total = sums.tax_basis_total = sums.grand_total = sums.due_amount = total
        sums.tax_total = (Decimal("0.00"), USD)
        text = ElementTree.tostring(self.root.to_etree(), encoding="unicode")
        return b"<?xml version='1.0' encoding='utf-8'?>\n" + NOT_XML.sub("", text).encode()


def _describe(trader: TradeParty, party: Party, email: str) -> None:
    """Write a party's name, registration, address and electronic address."""
    trader.name = party.legal_name
    trader.legal_organization.id = party.tax_number
    address = trader.address
    address.line_one, address.line_two = party.street, party.street_2
    address.postcode, address.city_name = party.postal_code, party.city
    address.country_id, address.country_subdivision = str(party.country), party.region
    if email:
        trader.electronic_address.uri_ID = (EMAIL, email)


def _item(line: Line, sentences: Sentences, items: dict[str, tuple[str, str]]) -> LineItem:
    """Return a line with its arithmetic: quantity × price ÷ base quantity − allowance, rounded, is its amount.

    The price of a recurring line is for all days of the month, so its quantity is the days times the seats.
    """
    item = LineItem()
    item.product.seller_assigned_id = line.sku
    item.product.name, item.product.description = sentences.title(line, items), sentences.arithmetic(line)
    item.agreement.net.amount = line.unit_price
    if line.kind == RECURRING:
        item.agreement.net.basis_quantity = (line.days_in_month, DAY)
        item.delivery.billed_quantity = (line.days * line.quantity, DAY)
    else:
        item.delivery.billed_quantity = (line.quantity, MINUTE)
    if line.kind == ADJUSTMENT and line.invoiced:
        before = TradeAllowanceCharge()
        before.indicator = line.invoiced < 0  # below zero it is a charge, since allowances can't be
        before.actual_amount = abs(line.invoiced)
        before.reason = sentences.text("already invoiced")
        item.settlement.allowance_charge.add(before)
    item.settlement.period.start, item.settlement.period.end = line.first, line.last
    item.settlement.monetary_summation.total_amount = line.amount
    return item
