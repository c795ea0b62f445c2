"""What issued documents show besides their amounts, kept with them so that they stay the same forever (R37, I22)."""

from typing import Any

from django.db import models
from django.db.models import Q

from billing.models.bills import Invoice
from billing.models.credit_notes import CreditNote
from billing.models.parties import BillingProfile, Issuer


class Presentation(models.Model):
    """What many documents share: brand, sentences in each language, names of items, and the template's version.

    `content` is in the form of `billing.documents.presentation`, and `digest` the SHA-256 of its text. It is added with
    the first document that needs it, and never changed.
    """

    content = models.JSONField()
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Presentation {self.digest[:12]}"


def reference(to: Any, *, null: bool = False) -> Any:
    """Return a reference to a row that is never deleted; the guard `document_names_what_is_there` checks it.

    A foreign key in the database would check each row of a bill run on its own.
    """
    return models.ForeignKey(
        to, on_delete=models.PROTECT, null=null, related_name="+", db_constraint=False, db_index=False
    )


class Document(models.Model):
    """What an issued document says about its parties, in which language, and a digest of all that it shows.

    Without a `profile`, it is addressed to the `company`. Documents from before documents were kept are
    `reconstructed`: they say what was true when the database was upgraded, and may have no issuer.
    """

    presentation = reference(Presentation)
    issuer = reference(Issuer, null=True)
    profile = reference(BillingProfile, null=True)
    company = models.CharField(max_length=200)
    account_number = models.CharField(max_length=12)
    timezone = models.CharField(max_length=64)
    language = models.CharField(max_length=2)
    issued_on = models.DateField(help_text="In the account's time zone.")
    reconstructed = models.BooleanField(default=False, db_default=False)
    digest = models.CharField(max_length=64)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(issuer__isnull=False) | Q(reconstructed=True),
                name="%(class)s_has_an_issuer",
                violation_error_message="A document names who issues it.",
            )
        ]

    def __str__(self) -> str:
        return f"Document of {self.pk}"

    @property
    def has_xml(self) -> bool:
        """Whether it names all that EN 16931 requires: the customer's address, and a number of the issuer (R40)."""
        return bool(self.profile and self.issuer and self.issuer.tax_number)


class InvoiceDocument(Document):
    """The document of an invoice, written in the same transaction."""

    invoice = models.OneToOneField(
        Invoice, on_delete=models.PROTECT, primary_key=True, related_name="document", db_constraint=False
    )
    due_on = models.DateField(null=True)

    class Meta(Document.Meta):
        default_permissions = ()


class CreditNoteDocument(Document):
    """The document of a credit note, written in the same transaction."""

    note = models.OneToOneField(
        CreditNote, on_delete=models.PROTECT, primary_key=True, related_name="document", db_constraint=False
    )

    class Meta(Document.Meta):
        default_permissions = ()
