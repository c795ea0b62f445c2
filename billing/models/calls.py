"""Call records, the files they came in, and the rows of those files that were not taken."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now

from accounts.models import Account, User


class Layout(models.TextChoices):
    """The column layouts of call files that are understood (R25)."""

    OWN = "own", "call_id, to, from, started_at, seconds"
    ASTERISK = "asterisk", "Asterisk CDR (Master.csv)"
    MAPPING = "mapping", "Other columns, by a mapping"


class CallImport(models.Model):
    """One run of an import over one file; without `finished_at` it goes on, or was stopped and can be run again."""

    name = models.CharField(max_length=255, help_text="The file's name.")
    layout = models.CharField(max_length=16, choices=Layout.choices)
    columns = models.JSONField(
        db_default=[], blank=True, help_text="What the cells of its rejected rows are; empty: those of the layout."
    )
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    added = models.PositiveBigIntegerField(default=0, help_text="Calls that were new.")
    unmatched = models.PositiveBigIntegerField(
        default=0, help_text="Of the new ones, calls to a number no one held then."
    )
    repeated = models.PositiveBigIntegerField(default=0, help_text="Calls that were there already, the same.")
    skipped = models.PositiveBigIntegerField(
        default=0, help_text="Rows that are no calls to bill, like unanswered ones."
    )
    rejected = models.PositiveBigIntegerField(default=0, help_text="Rows set aside, each with its reason.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name


class CallRecordQuerySet(models.QuerySet["CallRecord"]):
    def unmatched(self) -> "CallRecordQuerySet":
        """Calls to a number that nobody's Contact Center held when they started."""
        return self.filter(account=None)

    def charged(self) -> "CallRecordQuerySet":
        """Calls that count on a bill: to a toll-free number the account held at that moment (billing-policy.md, 8)."""
        return self.filter(is_toll_free=True).exclude(account=None)


class CallRecord(models.Model):
    """One call, known by its id. A row may be matched to its account once; nothing else of it ever changes."""

    call_id = models.CharField(max_length=100, unique=True)
    number = models.CharField("called number", max_length=16)
    caller = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    minutes = models.GeneratedField(
        expression=(F("seconds") + Value(59)) / Value(60),
        output_field=models.PositiveIntegerField(),
        db_persist=True,
        help_text="Seconds rounded up to whole minutes (billing-policy.md, 8).",
    )
    is_toll_free = models.BooleanField()
    received_in = models.ForeignKey(CallImport, on_delete=models.PROTECT, related_name="calls", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="calls", null=True, db_index=False)
    day = models.DateField(null=True, help_text="The day the call started, where the account is.")
    matched_at = models.DateTimeField(null=True)

    objects = CallRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(account=None, day=None, matched_at=None)
                | Q(account__isnull=False, day__isnull=False, matched_at__isnull=False),
                name="call_is_matched_as_a_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "day"], name="call_of_account", condition=Q(account__isnull=False)),
            models.Index(fields=["number", "started_at"], name="call_unmatched", condition=Q(account=None)),
        ]

    def __str__(self) -> str:
        return self.call_id


class RejectedCall(models.Model):
    """A row of a file that was not taken, and why; corrected in the file, it can be imported again."""

    received_in = models.ForeignKey(CallImport, on_delete=models.PROTECT, related_name="rejects")
    line = models.PositiveBigIntegerField()
    code = models.CharField(max_length=32)
    reason = models.CharField(max_length=200)
    content = models.TextField(blank=True, help_text="The row as it was received, NUL written as \\0.")

    class Meta:
        ordering = ["received_in", "line"]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.reason}"
