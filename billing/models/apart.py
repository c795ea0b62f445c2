"""Records set aside and rejected rows; and the rules about calls and the state of the feed, which have one row each."""

from typing import TypeVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5

from accounts.models import User
from billing.models.calls import CallImport, CallRecord

Row = TypeVar("Row", bound=models.Model)


class DecidedQuerySet(models.QuerySet[Row]):
    def open(self) -> "DecidedQuerySet[Row]":
        """Rows that still wait for a person, or for a later file."""
        return self.filter(state="open")


class SetAsideCall(models.Model):
    """A record that contradicts another with the same identity (policy 17). It claims no identity and is not charged.

    A person takes it, which voids the stored record, or dismisses it; or a later file in which the identity occurs only
    once settles it. The row has everything that is needed to take it.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        TAKEN = "taken", "Taken"
        DISMISSED = "dismissed", "Dismissed"
        SETTLED = "settled", "Settled by a later file"

    class Reason(models.TextChoices):
        STORED = "stored", "Another record of this identity was stored before."
        IN_FILE = "in_file", "The file has another record of this identity."

    call_id = models.CharField(max_length=100)
    leg = models.CharField(max_length=100, blank=True)
    number = models.CharField("called number", max_length=16)
    caller = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    call_import = models.ForeignKey(
        CallImport, on_delete=models.PROTECT, related_name="records_set_aside", db_column="received_in_id"
    )
    line = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=16, choices=Reason.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN, db_default=State.OPEN)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True, db_default="")
    settled_in = models.ForeignKey(CallImport, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)
    record = models.ForeignKey(CallRecord, on_delete=models.PROTECT, related_name="+", null=True)

    objects = DecidedQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "record set aside"
        verbose_name_plural = "records set aside"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", decided_by=None, decided_at=None, settled_in=None, record=None)
                | Q(state="taken", decided_by__isnull=False, decided_at__isnull=False, record__isnull=False)
                | Q(state="dismissed", decided_by__isnull=False, decided_at__isnull=False, record=None)
                | Q(state="settled", decided_by=None, settled_in__isnull=False, record=None),
                name="set_aside_call_is_decided_as_a_whole",
                violation_error_message="A record set aside is open, or was taken, dismissed or settled.",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["taken", "dismissed"]) | ~Q(note=""),
                name="set_aside_call_is_decided_with_a_reason",
                violation_error_message="Give a reason.",
            ),
        ]
        indexes = [
            models.Index(fields=["call_id"], name="set_aside_by_call"),
            models.Index(fields=["-id"], name="set_aside_open", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} ({self.leg})" if self.leg else self.call_id


class RejectedCall(models.Model):
    """A row of a file that was not taken, and why. It can be corrected in the file and imported again.

    A later import that adds the record settles it, or a person dismisses it with a reason. If a later file has the same
    row, no other reject is stored, and `seen_in` becomes that file's import.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SETTLED = "settled", "Settled by a later file"
        DISMISSED = "dismissed", "Dismissed"

    call_import = models.ForeignKey(
        CallImport, on_delete=models.PROTECT, related_name="rejects", db_column="received_in_id"
    )
    line = models.PositiveBigIntegerField()
    code = models.CharField(max_length=32)
    reason = models.CharField(max_length=200)
    content = models.TextField(blank=True, help_text="The row as it was received, NUL written as \\0.")
    call_id = models.CharField(max_length=100, blank=True, default="", db_default="")
    leg = models.CharField(max_length=100, blank=True, default="", db_default="")
    seen_in = models.ForeignKey(CallImport, on_delete=models.PROTECT, related_name="rejects_seen", null=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN, db_default=State.OPEN)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True, default="", db_default="")
    settled_in = models.ForeignKey(CallImport, on_delete=models.PROTECT, related_name="+", null=True, db_index=False)

    objects = DecidedQuerySet.as_manager()

    class Meta:
        ordering = ["call_import", "line"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", decided_by=None, decided_at=None, settled_in=None)
                | Q(state="settled", decided_by=None, settled_in__isnull=False)
                | (Q(state="dismissed", decided_by__isnull=False, decided_at__isnull=False) & ~Q(note="")),
                name="rejected_row_is_decided_as_a_whole",
                violation_error_message="A rejected row is open, settled or dismissed, with who did it, when and why.",
            )
        ]
        indexes = [
            models.Index(MD5("content"), name="rejected_by_content"),
            models.Index(fields=["call_id"], name="rejected_open", condition=Q(state="open")),
            models.Index(fields=["call_id"], name="rejected_dismissed", condition=Q(state="dismissed")),
        ]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.reason}"


class CallRules(models.Model):
    """The rules about calls that the database's guards read too, in a single row."""

    final_after = models.PositiveSmallIntegerField(
        default=18,
        db_default=18,
        validators=[MinValueValidator(1)],
        help_text="A month that ended more than so many months ago is final (billing policy 11).",
    )
    detached_before = models.DateField(
        null=True, help_text="Calls of months before this day were detached: since then `final_after` is never raised."
    )
    upgraded_at = models.DateTimeField(
        null=True, help_text="When the identity of records got a leg, in a database that had calls before."
    )
    last_import_before = models.BigIntegerField(
        null=True, help_text="The key of the last import of before that; its records keep what was invoiced."
    )

    class Meta:
        verbose_name_plural = "call rules"
        constraints = [
            models.CheckConstraint(
                condition=Q(pk=1),
                name="one_row_of_call_rules",
                violation_error_message="There is one row of rules for calls.",
            ),
            models.CheckConstraint(
                condition=Q(final_after__gte=1),
                name="final_after_a_month_or_more",
                violation_error_message="A month is final after one month or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"Months are final after {self.final_after}"


class CallFeed(models.Model):
    """What the last look at the feed found (R47), in a single row: `silent` and `low` are warnings, or empty."""

    looked_at = models.DateTimeField()
    silent = models.CharField(max_length=400, blank=True)
    low = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(pk=1), name="one_call_feed", violation_error_message="There is one call feed."
            )
        ]

    def __str__(self) -> str:
        return " ".join(self.warnings) or "The feed of calls is as usual."

    @property
    def warnings(self) -> list[str]:
        return [text for text in (self.silent, self.low) if text]
