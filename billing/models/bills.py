"""Bills: runs, billed months, invoices, bills on hold, and failed bills."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Account, User
from billing.models.checks import month_check, number_check
from billing.pricing import charges

if TYPE_CHECKING:
    from billing.models.documents import InvoiceDocument


class BillRun(models.Model):
    """One run over all accounts for a month. Without `finished_at` it is running, or was interrupted; run it again."""

    month = models.DateField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    accounts = models.PositiveIntegerField(
        default=0, help_text="Accounts billed, with an invoice or with nothing owed."
    )
    invoices = models.PositiveIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    total = models.DecimalField("total, USD", max_digits=14, decimal_places=2, default=Decimal(0))
    on_hold = models.PositiveIntegerField(default=0, db_column="held")
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-pk"]
        constraints = [month_check("bill_run_month_is_a_first")]

    def __str__(self) -> str:
        return f"Bill run of {self.month:%B %Y}"


class BilledMonth(models.Model):
    """Records that an account's month was billed, whether or not anything was owed; once for each month (I8)."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="billed_months", db_index=False)
    month = models.DateField()
    billed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "month"],
                name="a_month_is_billed_once",
                violation_error_message="This month of the account has already been billed.",
            ),
            month_check("billed_month_is_a_first"),
        ]

    def __str__(self) -> str:
        return f"{self.account}, {self.month:%B %Y}"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def newest_first(self) -> "InvoiceQuerySet":
        return self.order_by("-month", "-number")


class Invoice(models.Model):
    """What an account was billed for a month. It is issued once it is written: then nothing changes or is added (I10).

    Its lines are written before it: the database refuses an invoice whose lines don't add up to its total, and a new
    line for an invoice that exists (I11).
    """

    number = models.PositiveBigIntegerField(unique=True, help_text="Without gaps.")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoices", db_index=False)
    month = models.DateField()
    issued_at = models.DateTimeField()
    total = models.DecimalField("total, USD", max_digits=12, decimal_places=2)
    line_count = models.PositiveIntegerField()

    document: "InvoiceDocument"
    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "month"],
                name="one_invoice_a_month",
                violation_error_message="The account already has an invoice for this month.",
            ),
            models.CheckConstraint(
                condition=Q(line_count__gte=1),
                name="invoice_has_lines",
                violation_error_message="An invoice has at least one line.",
            ),
            # What the lines' foreign key refers to, since it includes the number of lines.
            models.UniqueConstraint(
                fields=["id", "line_count"],
                name="invoice_and_its_line_count",
                violation_error_message="An invoice has a fixed number of lines.",
            ),
            number_check("invoice_total_is_a_number", "total"),
            month_check("invoice_month_is_a_first"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The number as customers read it."""
        return f"INV-{self.number:06d}"

    @property
    def is_credit(self) -> bool:
        """Whether the total is below zero. Then it is headed Credit, with nothing to pay (billing-policy.md, 19)."""
        return self.total < 0

    @property
    def due_on(self) -> date | None:
        """The day until which it is to be paid, or None if there is nothing to pay or its document has no such day."""
        return self.document.due_on if self.total > 0 else None

    @property
    def creditable(self) -> Decimal:
        """The amount that has not been credited yet, USD. One query, or none if its credit notes were prefetched."""
        return self.total - sum((note.amount for note in self.credit_notes.all()), Decimal("0.00"))


class InvoiceLine(models.Model):
    """A line of an invoice, with everything that its amount was computed from (`charges.Line`).

    Each of an invoice's lines has one of its `line_count` positions, and the foreign key is (invoice, line_count). So
    no line fits in beside an invoice's own, not even one that another session writes at the same time (I10).
    """

    # The foreign key is in SQL, and the index is that of the unique constraint.
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="lines", db_constraint=False, db_index=False
    )
    position = models.IntegerField(help_text="From 1 to the invoice's number of lines.")
    line_count = models.IntegerField()
    kind = models.CharField(max_length=16)
    sku = models.CharField("SKU", max_length=40)
    month = models.DateField()
    first = models.DateField()
    last = models.DateField()
    quantity = models.BigIntegerField()
    unit_price = models.DecimalField(max_digits=10, decimal_places=4)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    per_seat = models.BooleanField(default=False, db_default=False)
    minutes = models.BigIntegerField(null=True)
    included = models.BigIntegerField(null=True)
    package_minutes = models.BigIntegerField(null=True)
    invoiced = models.DecimalField(max_digits=12, decimal_places=2, null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[charges.RECURRING, charges.USAGE, charges.ADJUSTMENT]) & ~Q(amount=0),
                name="invoice_line_is_something",
                violation_error_message="A line is a recurring item, minutes or an adjustment, and not 0.00.",
            ),
            models.CheckConstraint(
                condition=Q(first__lte=models.F("last")),
                name="invoice_line_has_days",
                violation_error_message="A line's last day is not before its first.",
            ),
            models.UniqueConstraint(
                fields=["invoice", "position"],
                name="one_line_at_a_position",
                violation_error_message="No line is added to an invoice that was issued.",
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=models.F("line_count")),
                name="line_is_one_of_its_invoice",
                violation_error_message="No line is added to an invoice that was issued.",
            ),
            number_check("invoice_line_amounts_are_numbers", "unit_price", "amount"),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.first}–{self.last}: {self.amount}"

    @property
    def value(self) -> charges.Line:
        """The line as the plain value it was written from."""
        return charges.Line(**{name: getattr(self, name) for name in LINE_FIELDS})


LINE_FIELDS = (
    "kind", "sku", "month", "first", "last", "quantity", "unit_price", "amount", "per_seat", "minutes", "included",
    "package_minutes", "invoiced",
)  # fmt: skip


class Counter(models.Model):
    """The last invoice and credit note numbers, in a single row.

    Numbers have no gaps (I9) because the row stays locked until the commit. It is locked after everything else.
    """

    invoices = models.PositiveBigIntegerField(default=0, db_default=0)
    credit_notes = models.PositiveBigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(pk=1), name="one_counter", violation_error_message="There is one counter of numbers."
            )
        ]

    def __str__(self) -> str:
        return f"{self.invoices} invoices, {self.credit_notes} credit notes"


class BillOnHoldQuerySet(models.QuerySet["BillOnHold"]):
    def waiting(self) -> "BillOnHoldQuerySet":
        """Bills that nobody has decided about yet. They are few, and have an index of their own."""
        return self.filter(state="held")

    def rejected_and_unbilled(self) -> "BillOnHoldQuerySet":
        """The latest row for each account and month, if it was rejected and the month has not been billed since."""
        same = {"account": models.OuterRef("account"), "month": models.OuterRef("month")}
        later = BillOnHold.objects.filter(**same, pk__gt=models.OuterRef("pk"))
        billed = BilledMonth.objects.filter(**same)
        return self.filter(state="rejected").exclude(models.Exists(later)).exclude(models.Exists(billed))


class BillOnHold(models.Model):
    """A bill far out of line that waits for a person, who releases or rejects it (I20).

    A rejected one keeps a digest of the bill at that time. As long as the bill would be the same, it still waits for a
    person, and the automatic run skips it (R42).
    """

    class State(models.TextChoices):
        HELD = "held", "On hold"
        RELEASED = "released", "Released"
        REJECTED = "rejected", "Rejected"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="bills_on_hold")
    month = models.DateField()
    total = models.DecimalField("total, USD", max_digits=14, decimal_places=2)
    why = models.CharField(max_length=300)
    held_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.HELD)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    digest = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Of a rejected bill; empty where it was rejected before."
    )

    objects = BillOnHoldQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        db_table = "billing_heldbill"
        verbose_name_plural = "bills on hold"
        permissions = [("decide_billonhold", "Can release or reject a bill on hold")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "month"],
                condition=Q(state="held"),
                name="one_held_bill_a_month",
                violation_error_message="A bill for this month of the account is already on hold.",
            ),
            month_check("held_bill_month_is_a_first"),
            models.CheckConstraint(
                condition=Q(digest="") | Q(state="rejected"),
                name="only_a_rejected_bill_has_a_digest",
                violation_error_message="The digest of a held bill is stored when it is rejected, and never later.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}, {self.month:%B %Y}"

    @property
    def is_decided(self) -> bool:
        return self.state != self.State.HELD


class FailedBill(models.Model):
    """An account that a run could not bill, and why. The next run of the month tries it again (I17)."""

    run = models.ForeignKey(BillRun, on_delete=models.PROTECT, related_name="failures")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.account}: {self.reason}"
