"""Call records, and the imports with which they came in."""

from collections.abc import Mapping

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Now

from accounts.models import Account, User


class Layout(models.TextChoices):
    """The column layouts of call files that can be imported (R25)."""

    OWN = "own", "call_id, to, from, started_at, seconds"
    ASTERISK = "asterisk", "Asterisk CDR (Master.csv)"
    MAPPING = "mapping", "Other columns, by a mapping"


class CallImport(models.Model):
    """One import of one file. Without `finished_at` it is still running, or was interrupted and can be run again.

    Every row that was read has one fate (R36). The counts are written together with what they count, so they add up
    at any moment.
    """

    name = models.CharField(max_length=255, help_text="The file's name.")
    layout = models.CharField(max_length=16, choices=Layout.choices)
    columns = models.JSONField(
        db_default=[], blank=True, help_text="What the cells of its rejected rows are; empty: those of the layout."
    )
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    took_voided = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether rows were taken although their content had been voided or dismissed.",
    )
    rows_read = models.PositiveBigIntegerField(default=0, db_default=0)
    added = models.PositiveBigIntegerField(default=0, help_text="Calls that were new.")
    unmatched = models.PositiveBigIntegerField(
        default=0, help_text="Of the new ones, calls to a number no one held then."
    )
    not_toll_free = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Of the new ones, calls of an account to a number that is not toll-free."
    )
    zero = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Rows of 0 seconds.")
    not_answered = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Calls that nobody answered: nothing to bill."
    )
    repeated = models.PositiveBigIntegerField(
        default=0, help_text="Rows that are known already: stored, set aside or dismissed, with the same content."
    )
    rejected = models.PositiveBigIntegerField(default=0, help_text="Rows that were not taken, each with its reason.")
    set_aside = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Records that contradict another one: a person takes or dismisses them."
    )
    voided = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Rows with the content of a voided record, which were not taken."
    )
    not_a_call = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Lines that are no call: blank, the header, a banner, a total."
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    rows_read=F("added") + F("zero") + F("not_answered") + F("repeated") + F("rejected")
                    + F("set_aside") + F("voided") + F("not_a_call")
                ),
                name="fates_add_up_to_the_rows_read",
                violation_error_message="Every row that was read has one fate: the counts add up to the rows read.",
            ),
            models.CheckConstraint(
                condition=Q(added__gte=F("unmatched") + F("not_toll_free")),
                name="call_import_added_its_parts",
                violation_error_message="Unmatched calls, and those that are not toll-free, are among those added.",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def charged(self) -> int:
        """The number of new calls that were toll-free calls of an account when they were added."""
        return self.added - self.unmatched - self.not_toll_free


IN_EFFECT = Q(is_voided=False, seconds__gt=0)
FATES: Mapping[str, Q] = {
    "charged": IN_EFFECT & Q(is_toll_free=True, account__isnull=False),
    "not_toll_free": IN_EFFECT & Q(is_toll_free=False, account__isnull=False),
    "unmatched": IN_EFFECT & Q(account=None),
    "zero": Q(is_voided=False, seconds=0),
    "voided": Q(is_voided=True),
}


class CallRecordQuerySet(models.QuerySet["CallRecord"]):
    """Each stored record has one of the FATES."""

    def in_effect(self) -> "CallRecordQuerySet":
        """Records that claim their identity: not voided, and with talk time (billing-policy.md, 17)."""
        return self.filter(IN_EFFECT)

    def charged(self) -> "CallRecordQuerySet":
        """Calls that count on a bill: to a toll-free number the account held at that moment (billing-policy.md, 8)."""
        return self.filter(FATES["charged"])

    def not_toll_free(self) -> "CallRecordQuerySet":
        """Calls of an account to a number that is not toll-free."""
        return self.filter(FATES["not_toll_free"])

    def unmatched(self) -> "CallRecordQuerySet":
        """Calls to a number that no account's Contact Center held when they started."""
        return self.filter(FATES["unmatched"])

    def zero(self) -> "CallRecordQuerySet":
        """Records of 0 seconds that were stored before the upgrade; they are no longer stored."""
        return self.filter(FATES["zero"])

    def voided(self) -> "CallRecordQuerySet":
        """Records that count as if they had never been made (billing-policy.md, 16)."""
        return self.filter(FATES["voided"])

    def started_between(self, first: object, end: object) -> "CallRecordQuerySet":
        """Records of the days from `first` to `end`, exclusive: by local day, or by UTC day without an account."""
        utc_day = models.Func(Value("UTC"), F("started_at"), function="timezone", output_field=models.DateTimeField())
        on = Coalesce("day", models.functions.Cast(utc_day, models.DateField()))
        return self.alias(on=on).filter(on__gte=first, on__lt=end)


class CallRecord(models.Model):
    """One record of a call, identified by the call's id and its leg.

    It can be matched to an account once and voided once; nothing else about it ever changes. Several records of one
    call with talk time each count (billing-policy.md, 17).
    """

    call_id = models.CharField(max_length=100)
    leg = models.CharField(
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text="Which record of the call: the file's sequence or leg. Asterisk’s has its start instead.",
    )
    number = models.CharField("called number", max_length=16)
    caller = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    minutes = models.GeneratedField(
        expression=(F("seconds") + Value(59)) / Value(60),
        output_field=models.PositiveIntegerField(),
        db_persist=True,
        help_text="Seconds rounded up to whole minutes (billing policy 8).",
    )
    is_toll_free = models.BooleanField()
    call_import = models.ForeignKey(
        CallImport, on_delete=models.PROTECT, related_name="calls", db_index=False, db_column="received_in_id"
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="calls", null=True, db_index=False)
    day = models.DateField(null=True, help_text="The day the call started, where the account is.")
    matched_at = models.DateTimeField(null=True)
    is_voided = models.BooleanField(default=False, db_default=False, help_text="Set by the database for a CallVoid.")

    objects = CallRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        permissions = [("void_callrecord", "Can void call records, and decide about records set aside and rejects")]
        constraints = [
            models.UniqueConstraint(
                fields=["call_id", "leg"],
                condition=Q(is_voided=False, seconds__gt=0),
                name="call_identity_stands_once",
                violation_error_message="A record of this call and leg is stored already.",
            ),
            models.CheckConstraint(
                condition=Q(account=None, day=None, matched_at=None)
                | Q(account__isnull=False, day__isnull=False, matched_at__isnull=False),
                name="call_is_matched_as_a_whole",
                violation_error_message="A call is matched to an account on a day, or not at all.",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "day"], name="call_of_account", condition=Q(account__isnull=False)),
            models.Index(
                fields=["number", "started_at"], name="call_unmatched", condition=Q(account=None, is_voided=False)
            ),
            BrinIndex(fields=["call_import"], name="call_received_in", autosummarize=True),
            models.Index(fields=["call_id"], name="call_not_standing", condition=Q(is_voided=True) | Q(seconds=0)),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} ({self.leg})" if self.leg else self.call_id


class CallVoid(models.Model):
    """The voiding of a call record, which then counts as if it had never been made: who voided it, when and why.

    It can't be undone (billing-policy.md, 16).
    """

    record = models.OneToOneField(CallRecord, on_delete=models.PROTECT, related_name="void")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason=""), name="call_void_has_a_reason", violation_error_message="A void needs a reason."
            )
        ]

    def __str__(self) -> str:
        return f"{self.record}: {self.reason}"
