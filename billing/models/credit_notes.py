"""Credit notes: what is given back of issued invoices."""

from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import User
from billing.models.bills import Invoice
from billing.models.checks import number_check

if TYPE_CHECKING:
    from billing.models.documents import CreditNoteDocument


class CreditNote(models.Model):
    """An amount credited on an invoice by the Billing team, with the reason. Never changed or deleted."""

    number = models.PositiveBigIntegerField(unique=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    amount = models.DecimalField(
        "amount, USD", max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    document: "CreditNoteDocument"

    class Meta:
        ordering = ["-pk"]
        permissions = [("issue_creditnote", "Can issue a credit note")]
        constraints = [
            number_check("credit_note_amount_is_a_number", "amount"),
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="credit_is_positive",
                violation_error_message="A credit note gives back more than 0.00.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return f"CN-{self.number:06d}"
