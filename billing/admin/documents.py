"""What the pages of invoices and credit notes share: the document as it was issued, its PDF, and its emails."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import action

from billing.actions.send_document_again import PERMISSION as SEND
from billing.admin.corrections import send_page
from billing.documents.files import paper_of
from billing.documents.responses import pdf_response, xml_response
from billing.models import CreditNote, Delivery, Invoice
from core.admin import ReadOnlyAdmin
from core.verbs import stands_for


def without_xml(row: Invoice | CreditNote) -> str:
    """Return why a document has no XML file, and what to do for those that are issued later."""
    if row.document.profile:
        lacks, once = "a number of the issuer", "an issuer with a tax number is added"
    else:
        lacks, once = "the customer's address", "the account's billing profile is saved"
    return f"{row.title} has no XML file: EN 16931 requires {lacks}. Documents issued after {once} will have one."


class UndeliveredFilter(admin.SimpleListFilter):
    """Shows documents whose email was given up, until they are sent again."""

    title = "email"
    parameter_name = "email"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Not delivered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "failed":
            return queryset
        of = "invoice" if queryset.model is Invoice else "note"
        return queryset.filter(pk__in=Delivery.objects.undelivered().exclude(**{of: None}).values(of))


class DocumentAdmin(ReadOnlyAdmin):
    """The page of an issued document. Its template shows `paper`, whether it is `reconstructed`, and `deliveries`."""

    actions_detail: tuple[str, ...] = ("pdf", "xml", "send_again")

    class Media:
        css = {"all": ["admin/bills.css"]}

    def with_document(self, pk: Any) -> Invoice | CreditNote:
        """Return a row with everything that its document is made from."""
        raise NotImplementedError

    def has_pdf_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        allowed: bool = self.has_view_permission(request)
        return allowed

    def has_send_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(SEND)

    @action(description="PDF", permissions=["pdf"], url_path="pdf", icon="picture_as_pdf")
    def pdf(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return pdf_response(self.with_document(self.row_or_404(request, object_id).pk))

    @action(description="XML", permissions=["pdf"], url_path="xml", icon="code")
    def xml(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.with_document(self.row_or_404(request, object_id).pk)
        if row.document.has_xml:
            return xml_response(row)
        messages.warning(request, without_xml(row))
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", row.pk)

    @action(description="Send again…", permissions=["send"], url_path="send-again", icon="forward_to_inbox")
    @stands_for("send_document_again")
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return send_page(self, request, self.row_or_404(request, object_id))

    def change_context(self, request: HttpRequest, obj: Invoice | CreditNote) -> dict[str, Any]:
        return {
            "paper": paper_of(self.with_document(obj.pk)),
            "reconstructed": obj.document.reconstructed,
            "deliveries": obj.deliveries.select_related("email", "to", "again_by"),
        }
