"""Responses with documents as PDF files."""

from django.http import HttpResponse

from billing.documents.paper import Paper
from billing.documents.pdf import pdf_of


def pdf_response(paper: Paper) -> HttpResponse:
    """Return the response with a document as a PDF, which browsers show and save under the document's number."""
    headers = {"Content-Disposition": f'inline; filename="{paper.number}.pdf"'}
    return HttpResponse(pdf_of(paper.as_json()), content_type="application/pdf", headers=headers)
