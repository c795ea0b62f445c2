"""The two parties of a document: the provider who issues it, and the customer who receives it (R38).

Their rows are never changed: a correction is a new row. So a document refers to the rows that were in force when it was
issued, and stays as it was.
"""

from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator
from django.db import models
from django.db.models import OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.models import Account, User
from accounts.models.user import Language

LONGEST_TERMS = 365  # days
LONGEST_INSTRUCTIONS = 2_000


UNPRINTABLE = _("This has characters that can't be printed. Type it again.")


class Party(models.Model):
    """A name and an address as they are printed on documents."""

    legal_name = models.CharField(_("legal name"), max_length=200)
    street = models.CharField(_("street"), max_length=200)
    street_2 = models.CharField(_("second line of the address"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100)
    region = models.CharField(_("state or region"), max_length=100, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    country = CountryField(_("country"))
    tax_number = models.CharField(_("tax number"), max_length=50, blank=True)

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Put single spaces between words. Raises ValidationError if a value has characters that can't be printed."""
        odd = {}
        for field in self._meta.concrete_fields:
            if not isinstance(field, models.CharField | models.TextField):
                continue
            text = str(getattr(self, field.name))
            parts = text.splitlines() if isinstance(field, models.TextField) else [text]
            tidy = "\n".join(" ".join(part.split()) for part in parts)
            setattr(self, field.name, tidy)
            if not tidy.replace("\n", "").isprintable():
                odd[field.name] = ValidationError(UNPRINTABLE, code="unprintable")
            elif not tidy and not field.blank:
                odd[field.name] = ValidationError(field.error_messages["blank"], code="blank")
        if odd:
            raise ValidationError(odd)

    @property
    def town(self) -> str:
        """The line of the address with the city, like `Springfield, IL 62701`."""
        return ", ".join(part for part in (self.city, f"{self.region} {self.postal_code}".strip()) if part)


class IssuerQuerySet(models.QuerySet["Issuer"]):
    def in_force(self, on: date) -> "Issuer | None":
        """Return the issuer of documents that are issued on this day, or None. One query."""
        return self.filter(effective_from__lte=on).order_by("-effective_from", "-pk").first()


class Issuer(Party):
    """The provider, as documents name it from a day on, with the terms and how to pay.

    Of the rows for one day, the one added last counts.
    """

    effective_from = models.DateField(
        help_text="Invoices and credit notes issued on this day or later name this issuer, until a later one."
    )
    tax_number = models.CharField(
        "tax number",
        max_length=50,
        blank=True,
        help_text="Without it, invoices contain no data for accounting software, since EN 16931 requires a number.",
    )
    contact_name = models.CharField(
        "contact for questions", max_length=200, blank=True, help_text="A person or a department."
    )
    email = models.EmailField("email for questions")
    phone = models.CharField("phone for questions", max_length=50, blank=True)
    terms_days = models.PositiveSmallIntegerField(
        "payment terms, days",
        default=30,
        validators=[MaxValueValidator(LONGEST_TERMS)],
        help_text="An invoice is due this many days after its date.",
    )
    payment_instructions = models.TextField(
        blank=True,
        max_length=LONGEST_INSTRUCTIONS,
        validators=[MaxLengthValidator(LONGEST_INSTRUCTIONS)],
        help_text="How to pay, like a bank account. Printed on each invoice.",
    )
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True, editable=False)
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = IssuerQuerySet.as_manager()

    class Meta:
        ordering = ["-effective_from", "-pk"]
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(terms_days__lte=LONGEST_TERMS),
                name="issuer_terms_are_days",
                violation_error_message=f"Payment terms are at most {LONGEST_TERMS} days.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.legal_name}, from {self.effective_from}"


class BillingProfileQuerySet(models.QuerySet["BillingProfile"]):
    def current(self) -> "BillingProfileQuerySet":
        """The profile in force of each account: its latest version."""
        newer = BillingProfile.objects.filter(account=OuterRef("account"), version__gt=OuterRef("version"))
        return self.exclude(models.Exists(newer))

    def of(self, account: Account) -> "BillingProfile | None":
        """Return the account's profile in force, or None if it has none. One query."""
        return self.filter(account=account).order_by("-version").first()


class BillingProfile(Party):
    """Whom an account's documents are addressed to, from the moment it is saved. Each change is a new version."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="billing_profiles", db_index=False)
    version = models.PositiveIntegerField(editable=False)
    purchase_order = models.CharField(
        _("purchase order number"), max_length=50, blank=True, help_text=_("Printed on each invoice.")
    )
    invoice_email = models.EmailField(
        _("invoice email"),
        blank=True,
        help_text=_("Invoices are also sent here, in addition to the account's owners and billing managers."),
    )
    language = models.CharField(
        _("language of invoices"), max_length=2, choices=Language.choices, default=Language.ENGLISH
    )
    xml_by_email = models.BooleanField(
        _("attach the XML file to emails"),
        default=False,
        db_default=False,
        help_text=_("Accounting software reads this file (EN 16931). It is also inside the PDF."),
    )
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", editable=False)
    saved_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = BillingProfileQuerySet.as_manager()

    class Meta:
        ordering = ["account", "-version"]
        default_permissions = ("change", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "version"],
                name="billing_profile_version",
                violation_error_message="This version of the billing profile already exists.",
            ),
            models.CheckConstraint(
                condition=Q(language__in=Language.values),
                name="billing_profile_language",
                violation_error_message="Invoices are in English or Spanish.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.legal_name}, version {self.version}"

    def clean(self) -> None:
        super().clean()
        self.invoice_email = self.invoice_email.lower()


PARTY_FIELDS = ("legal_name", "street", "street_2", "city", "region", "postal_code", "country", "tax_number")
PROFILE_FIELDS = (*PARTY_FIELDS, "purchase_order", "invoice_email", "language", "xml_by_email")
