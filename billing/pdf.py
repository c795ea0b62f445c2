"""An invoice as a document: HTML to print, and PDF if the server has Pango."""

from ctypes.util import find_library
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Info
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static

from billing.models import Invoice

STYLESHEET = "hostpilot/invoice.css"


def invoice_html(invoice: Invoice, *, stylesheet: str = "") -> str:
    """Return the invoice as an HTML page of its own, which loads nothing but the stylesheet at this address, if any."""
    lines = [line.value for line in invoice.lines.all()]
    context = {"invoice": invoice, "lines": lines, "brand": settings.BRAND_NAME, "stylesheet": stylesheet}
    return render_to_string("billing/invoice_document.html", context)


def invoice_pdf_bytes(invoice: Invoice) -> bytes | None:
    """Return the invoice as an accessible PDF (PDF/UA), or None if Pango is missing."""
    weasyprint = _weasyprint()
    if weasyprint is None:
        return None
    document = weasyprint.HTML(string=invoice_html(invoice), url_fetcher=_refuse)
    style = weasyprint.CSS(filename=finders.find(STYLESHEET))
    content: bytes = document.write_pdf(pdf_variant="pdf/ua-1", stylesheets=[style])
    return content


def invoice_response(invoice: Invoice) -> HttpResponse:
    """Return the response with the invoice as a PDF, or as a page to print if the server has no Pango."""
    content = invoice_pdf_bytes(invoice)
    if content is None:
        return HttpResponse(invoice_html(invoice, stylesheet=static(STYLESHEET)))
    headers = {"Content-Disposition": f'inline; filename="{invoice.title}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


def check_pdf(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Return a note that invoices can only be shown as pages, if Pango is missing."""
    if find_library("pango-1.0"):
        return []
    hint = "Install Pango, on Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0."
    return [Info("Invoices can be shown and printed, but not as PDF: Pango is missing.", hint=hint, id="billing.I001")]


def _weasyprint() -> Any:
    """Return the library, or None if it doesn't find Pango, for which it looks when it is imported."""
    try:
        import weasyprint  # noqa: PLC0415
    except OSError:
        return None
    return weasyprint


def _refuse(url: str, *args: Any, **kwargs: Any) -> NoReturn:
    raise ValueError(f"An invoice needs nothing from elsewhere, not {url}.")
