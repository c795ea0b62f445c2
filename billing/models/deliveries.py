"""Emails with documents: to whom each invoice and credit note was sent (R39)."""

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from billing.models.bills import Invoice
from billing.models.credit_notes import CreditNote
from core.outbox.models import EmailState, OutgoingEmail


def _reference(to: Any, related_name: str, *, null: bool = True) -> Any:
    """Return a reference to a row that is never deleted; the guard `delivery_names_what_is_there` checks it."""
    return models.ForeignKey(
        to, on_delete=models.PROTECT, null=null, related_name=related_name, db_constraint=False, db_index=False
    )


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def undelivered(self) -> "DeliveryQuerySet":
        """Emails that were given up, of documents that were not sent again since. They are few.

        Emails that are queued together have the same `created_at`.
        """
        again = Delivery.objects.filter(again_by__isnull=False, email__created_at__gt=OuterRef("email__created_at"))
        return self.filter(email__state=EmailState.FAILED).exclude(
            Exists(again.filter(invoice=OuterRef("invoice"))) | Exists(again.filter(note=OuterRef("note")))
        )


class Delivery(models.Model):
    """An email with a document to one recipient: a contact, or without `to` the invoice email of the billing profile.

    It is written in the transaction of the document, one for each recipient; those that staff sent again have a person
    in `again_by`. The email itself, and what became of it, is in the outbox.
    """

    email = models.OneToOneField(
        OutgoingEmail, on_delete=models.PROTECT, primary_key=True, related_name="+", db_constraint=False
    )
    invoice = _reference(Invoice, "deliveries")
    note = _reference(CreditNote, "deliveries")
    to = _reference(User, "+")
    again_by = _reference(User, "+")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "deliveries"
        default_permissions = ("view",)
        permissions = [("send_document", "Can send an invoice or credit note again")]
        indexes = [
            models.Index("invoice", condition=Q(invoice__isnull=False), name="deliveries_of_an_invoice"),
            models.Index("note", condition=Q(note__isnull=False), name="deliveries_of_a_credit_note"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(invoice=None, note__isnull=False) | Q(invoice__isnull=False, note=None),
                name="delivery_is_of_one_document",
                violation_error_message="An email has one document.",
            ),
            models.UniqueConstraint(
                fields=["invoice", "to"],
                condition=Q(invoice__isnull=False, again_by=None),
                nulls_distinct=False,
                name="invoice_is_sent_once",
                violation_error_message="This person already got the invoice.",
            ),
            models.UniqueConstraint(
                fields=["note", "to"],
                condition=Q(note__isnull=False, again_by=None),
                nulls_distinct=False,
                name="credit_note_is_sent_once",
                violation_error_message="This person already got the credit note.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice or self.note}, to {self.to or 'the invoice email'}"
