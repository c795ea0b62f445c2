"""Responses with documents as files."""

from django.http import Http404, HttpResponse

from billing.documents.files import pdf_file, xml_of
from billing.models import CreditNote, Invoice


def pdf_response(issued: Invoice | CreditNote) -> HttpResponse:
    """Return the response with a document as a PDF, which browsers show and save under the document's number."""
    headers = {"Content-Disposition": f'inline; filename="{issued.title}.pdf"'}
    return HttpResponse(pdf_file(issued), content_type="application/pdf", headers=headers)


def xml_response(issued: Invoice | CreditNote) -> HttpResponse:
    """Return the response with a document as an XML file to save. Raises Http404 if it has none."""
    xml = xml_of(issued)
    if xml is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{issued.title}.xml"'}
    return HttpResponse(xml, content_type="application/xml", headers=headers)
