"""Documents for machines (R40): valid by the schema and the rules of EN 16931, with the amounts that are on paper.

`EINVOICE_EXAMPLES=1000 pytest tests/billing/documents/test_einvoice.py` tries more histories than the suite does.
"""

import os
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from django_countries import countries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.documents.einvoice import credit_note_xml, invoice_xml
from billing.documents.paper import invoice_paper
from billing.documents.presentation import TEMPLATE
from billing.models import CreditNote, Invoice, Presentation
from billing.pricing.charges import ADJUSTMENT, CENT, RECURRING, USAGE, Line, current_lines
from billing.pricing.settlement import to_invoice
from tests.billing.documents import examples as examples_of
from tests.billing.documents.examples import MARCH, line, presentation
from tests.billing.documents.parties import issuer, profile
from tests.billing.documents.standard import codes_that_include, errors_in
from tests.billing.histories import CATALOGUE, lives, run_delays
from tests.billing.pricing.daybyday import Life
from tests.billing.pricing.test_charges_by_day import held_by, minutes_of, run_moments

RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
CONTENT = presentation(TEMPLATE).content
PRESENTATION = Presentation(
    content={
        **CONTENT,
        "items": {
            sku: {"kind": item.kind, "en": f"Item {sku}", "es": f"Artículo {sku}"} for sku, item in CATALOGUE.items()
        },
    }
)
examples = settings(
    max_examples=int(os.environ.get("EINVOICE_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
reasons = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60).map("Because: {}".format)
some_text = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=60)
parties = st.fixed_dictionaries(
    {"legal_name": some_text, "street": some_text, "city": some_text},
    optional={
        "street_2": some_text,
        "region": some_text,
        "postal_code": some_text,
        "country": st.sampled_from(sorted(dict(countries))),
    },
)


def invoice(lines: list[Line], month: date = MARCH, **other: Any) -> Invoice:
    return examples_of.invoice(lines, PRESENTATION, month, **other)


def credit_note(amount: str, reason: str = "Line was down", **other: Any) -> CreditNote:
    return examples_of.credit_note(amount, PRESENTATION, reason, **other)


def read(xml: bytes | None) -> ElementTree.Element:
    """Return the root of a valid XML."""
    assert xml is not None
    assert errors_in(xml) == []
    return ElementTree.fromstring(xml)


def text(element: ElementTree.Element, *path: str) -> str:
    """Return the first text below elements of these tags, one in the other."""
    return element.findtext(".//" + "//".join(RAM + tag for tag in path), "")


def amount(element: ElementTree.Element, tag: str, otherwise: str = "") -> Decimal:
    """Return the only number of this tag under an element."""
    found = [each.text or "" for each in element.iter(RAM + tag)]
    assert len(found) <= 1
    return Decimal(found[0] if found else otherwise)


def recomputed(item: ElementTree.Element) -> Decimal:
    """Return a line's amount, computed from its quantity, price and allowance or charge."""
    before = amount(item, "ActualAmount", "0")
    is_charge = "true" in [each.text for each in item.iter() if each.tag.endswith("}Indicator")]
    for_all_days = amount(item, "BilledQuantity") * amount(item, "ChargeAmount")
    product = (for_all_days / amount(item, "BasisQuantity", "1")).quantize(CENT, ROUND_HALF_UP)
    return product + before if is_charge else product - before


def check(xml: bytes | None, total: Decimal, amounts: Sequence[Decimal]) -> ElementTree.Element:
    """Check that an XML is valid, and that all its amounts are these; return its root."""
    root = read(xml)
    items = list(root.iter(RAM + "IncludedSupplyChainTradeLineItem"))
    assert [amount(item, "LineTotalAmount") for item in items] == list(amounts)
    assert [recomputed(item) for item in items] == list(amounts)
    [sums] = root.iter(RAM + "SpecifiedTradeSettlementHeaderMonetarySummation")
    assert {
        tag: amount(sums, f"{tag}Amount") for tag in ("LineTotal", "TaxBasisTotal", "GrandTotal", "DuePayable")
    } == dict.fromkeys(("LineTotal", "TaxBasisTotal", "GrandTotal", "DuePayable"), total)
    assert amount(sums, "TaxTotalAmount") == 0
    return root


@pytest.mark.hypothesis
def test_documents_of_random_histories_are_valid_and_have_the_amounts_on_paper() -> None:
    checked = 0

    @examples
    @given(lives(), run_delays, parties, parties, st.sampled_from(["en", "es"]), reasons)
    def documents_are_valid(
        life: Life, delays: list[int], one: dict[str, Any], other: dict[str, Any], language: str, reason: str
    ) -> None:
        nonlocal checked
        named: dict[str, Any] = {
            "issuer": issuer(**{"tax_number": "12-3456789", **one}), "profile": profile(**other), "language": language,
        }  # fmt: skip
        for month, lines in invoiced(life, delays):
            made = invoice(lines, month, **named)
            check(invoice_xml(made), made.total, [each.amount for each in lines])
            note = credit_note(str(abs(made.total) or 1), reason, **named)
            check(credit_note_xml(note), note.amount, [note.amount])
            checked += 2

    documents_are_valid()
    assert checked >= 200


def invoiced(life: Life, delays: list[int]) -> list[tuple[date, list[Line]]]:
    """Return the lines of each month's invoice of a history."""
    held = held_by(life)
    activated_on = life.activated.astimezone(life.zone).date() if life.activated else None
    runs, before, found = run_moments(life, delays), list[Line](), []
    for month, at in runs:
        minutes = minutes_of(life, at)
        stand = {each: current_lines(each, held, minutes, activated_on) for each, _ in runs if each <= month}
        if lines := to_invoice(month, stand, before):
            found.append((month, lines))
        before += lines
    return found


def test_an_invoice_says_what_is_on_paper() -> None:
    lines = [
        line(RECURRING, "pro", "903.23", 25, "70.0000", first=date(2026, 3, 16), per_seat=True),
        line(USAGE, "tf-500", "5.46", 130, "0.0420", minutes=389, included=259, package_minutes=500),
    ]
    root = check(invoice_xml(invoice(lines)), Decimal("908.69"), [Decimal("903.23"), Decimal("5.46")])
    assert text(root, "BuyerTradeParty", "Name") == "Acme Support, LLC"
    assert text(root, "BuyerTradeParty", "ID") == "100001"
    assert text(root, "BuyerOrderReferencedDocument", "IssuerAssignedID") == "PO-7"
    assert text(root, "SellerTradeParty", "SpecifiedLegalOrganization", "ID") == "12-3456789"
    assert text(root, "SpecifiedTradeSettlementPaymentMeans", "Information") == "Pay in cash."
    assert text(root, "SpecifiedTradePaymentTerms", "Description") == "Please pay $908.69 by May 2, 2026."
    seats, minutes = root.iter(RAM + "IncludedSupplyChainTradeLineItem")
    assert text(seats, "Name") == "Item pro"
    assert text(seats, "Description") == "25 seats × $70.00 × 16 of 31 days = $903.23"
    assert (amount(seats, "BilledQuantity"), amount(seats, "BasisQuantity")) == (400, 31)
    assert amount(minutes, "BilledQuantity") == 130


def test_an_adjustment_is_minutes_at_their_rate_less_what_was_invoiced() -> None:
    late = line(ADJUSTMENT, "tf-500", "0.84", 120, "0.0420", minutes=620, included=500, package_minutes=500)
    root = check(invoice_xml(invoice([late._replace(invoiced=Decimal("4.20"))])), Decimal("0.84"), [Decimal("0.84")])
    assert text(root, "SpecifiedTradeAllowanceCharge", "Reason") == "Already invoiced"
    assert text(root, "SpecifiedTradeAllowanceCharge", "ActualAmount") == "4.20"


def test_a_void_can_leave_a_total_below_zero() -> None:
    void = line(ADJUSTMENT, "tf-500", "-4.20", 0, "0.0420", minutes=0, included=500, package_minutes=500)
    root = check(invoice_xml(invoice([void._replace(invoiced=Decimal("4.20"))])), Decimal("-4.20"), [Decimal("-4.20")])
    assert text(root, "SpecifiedTradePaymentTerms", "Description") == "This is a credit, so there is nothing to pay."
    assert not list(root.iter(RAM + "SpecifiedTradeSettlementPaymentMeans"))


def test_an_invoice_of_nothing_is_no_credit_and_is_never_due() -> None:
    lines = [
        line(RECURRING, "pro", "4.20", 1, "4.2000"),
        line(ADJUSTMENT, "tf-500", "-4.20", 0, "0.0420", minutes=0, included=500, package_minutes=500)._replace(
            invoiced=Decimal("4.20")
        ),
    ]
    made = invoice(lines)
    root = check(invoice_xml(made), Decimal("0.00"), [Decimal("4.20"), Decimal("-4.20")])
    assert text(root, "SpecifiedTradePaymentTerms", "Description") == "There is nothing to pay."
    paper = invoice_paper(made)
    assert paper.heading == "Invoice"
    assert "Due date" not in dict(paper.details)
    assert paper.notes[0].text == "There is nothing to pay."


def test_a_credit_note_refers_to_its_invoice_and_asks_for_nothing() -> None:
    root = check(credit_note_xml(credit_note("5.00")), Decimal("5.00"), [Decimal("5.00")])
    assert text(root, "InvoiceReferencedDocument", "IssuerAssignedID") == "INV-000123"
    assert text(root, "SpecifiedTradePaymentTerms", "Description") == "This is a credit, so there is nothing to pay."
    assert text(root, "Description") == "Line was down"


def test_it_is_in_the_language_of_the_document() -> None:
    root = read(credit_note_xml(credit_note("5.00", language="es")))
    assert text(root, "SpecifiedTradeProduct", "Name") == "Abono de INV-000123"


@pytest.mark.parametrize(
    "parties",
    [{"profile": None}, {"issuer": None}, {"issuer": issuer()}],
    ids=["no address", "no issuer", "no number of the issuer"],
)
def test_without_what_the_standard_demands_there_is_none(parties: dict[str, Any]) -> None:
    assert invoice_xml(invoice([line(RECURRING, "pro", "70.00", 1, "70.0000")], **parties)) is None
    assert credit_note_xml(credit_note("5.00", **parties)) is None


def test_what_xml_cannot_have_is_left_out() -> None:
    root = read(credit_note_xml(credit_note("5.00", "Down\x0b\x1f & <out>\ufffe")))
    assert text(root, "SpecifiedTradeProduct", "Description") == "Down & <out>"


def test_each_country_is_one_of_the_standards() -> None:
    assert set(dict(countries)) - codes_that_include("US", "ZW") == set()


def test_the_rules_see_what_is_wrong() -> None:
    xml = credit_note_xml(credit_note("5.00")) or b""
    assert "BR-CO-10" in errors_in(xml.replace(b">5.00</ram:LineTotal", b">4.00</ram:LineTotal", 1))[0]
    vat = b'<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">US1</ram:ID></ram:SpecifiedTaxRegistration>'
    assert "BR-O-02" in "".join(errors_in(xml.replace(b"</ram:BuyerTradeParty>", vat + b"</ram:BuyerTradeParty>")))
    assert "InvoiceCurrencyCode" in errors_in(xml.replace(b"InvoiceCurrencyCode>", b"InvoiceCurrency>"))[0]
