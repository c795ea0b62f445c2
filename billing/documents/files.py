"""A document as files: a PDF for people, which contains an XML for machines where the document names enough for one."""

from billing.documents.einvoice import credit_note_xml, invoice_xml
from billing.documents.paper import Paper, credit_note_paper, invoice_paper
from billing.documents.pdf import pdf_of
from billing.models import CreditNote, Invoice


def paper_of(issued: Invoice | CreditNote) -> Paper:
    """Return the texts of an issued document."""
    return invoice_paper(issued) if isinstance(issued, Invoice) else credit_note_paper(issued)


def xml_of(issued: Invoice | CreditNote) -> bytes | None:
    """Return the XML (EN 16931), or None if the document lacks something that the standard requires."""
    return invoice_xml(issued) if isinstance(issued, Invoice) else credit_note_xml(issued)


def pdf_with(xml: bytes | None, paper: Paper) -> bytes:
    """Return the PDF of a document, with its XML inside, if any."""
    return pdf_of(paper.as_json(), attachment=xml)


def pdf_file(issued: Invoice | CreditNote) -> bytes:
    """Return the PDF of an issued document, with its XML inside, if it has one (R40)."""
    return pdf_with(xml_of(issued), paper_of(issued))
