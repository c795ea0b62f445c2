"""What the pages of invoices and credit notes share: the document as it was issued, its PDF, and its emails."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from billing.actions.send_document_again import PERMISSION as SEND
from billing.admin.corrections import send_page
from billing.documents.paper import Paper
from billing.documents.responses import pdf_response
from billing.models import CreditNote, Invoice
from core.admin import ReadOnlyAdmin
from core.verbs import stands_for


class DocumentAdmin(ReadOnlyAdmin):
    """The page of an issued document. Its template shows `paper`, whether it is `reconstructed`, and `deliveries`."""

    actions_detail: tuple[str, ...] = ("pdf", "send_again")

    class Media:
        css = {"all": ["admin/bills.css"]}

    def paper_of(self, row: Any) -> Paper:
        """Return the texts of the document of a row."""
        raise NotImplementedError

    def has_pdf_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        allowed: bool = self.has_view_permission(request)
        return allowed

    def has_send_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(SEND)

    @action(description="PDF", permissions=["pdf"], url_path="pdf", icon="picture_as_pdf")
    def pdf(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return pdf_response(self.paper_of(self.row_or_404(request, object_id)))

    @action(description="Send again…", permissions=["send"], url_path="send-again", icon="forward_to_inbox")
    @stands_for("send_document_again")
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return send_page(self, request, self.row_or_404(request, object_id))

    def change_context(self, request: HttpRequest, obj: Invoice | CreditNote) -> dict[str, Any]:
        return {
            "paper": self.paper_of(obj),
            "reconstructed": obj.document.reconstructed,
            "deliveries": obj.deliveries.select_related("email", "to", "again_by"),
        }
