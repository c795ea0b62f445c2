"""Numbers of invoices and credit notes that are left out on purpose."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now

from accounts.models import User


class NumberGap(models.Model):
    """Numbers that no document will have, recorded in the transaction in which the counter passes them (I9).

    Only the owner of the tables may add one, and it never changes (guards in `billing/guards/numbers.py`). `by` is
    None for gaps that an upgrade found.
    """

    class Of(models.TextChoices):
        INVOICES = "invoices", "Invoices"
        CREDIT_NOTES = "credit_notes", "Credit notes"

    of = models.CharField(max_length=12, choices=Of.choices)
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    why = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["of", "first"]
        default_permissions = ()
        permissions = [("skip_numbers", "Can leave out numbers of invoices and credit notes")]
        constraints = [
            models.CheckConstraint(
                condition=Q(of__in=["invoices", "credit_notes"]),
                name="number_gap_is_of_something",
                violation_error_message="Numbers of invoices or credit notes are left out.",
            ),
            models.CheckConstraint(
                condition=Q(first__gte=1, last__gte=F("first")),
                name="number_gap_has_numbers",
                violation_error_message="The last number left out is not before the first.",
            ),
            models.CheckConstraint(
                condition=~Q(why=""),
                name="number_gap_says_why",
                violation_error_message="Say why the numbers are left out.",
            ),
            *(
                ExclusionConstraint(
                    name=f"number_of_{of}_is_left_out_once",
                    violation_error_message="Some of these numbers are already left out.",
                    expressions=[(Func("first", "last", Value("[]"), function="int8range"), RangeOperators.OVERLAPS)],
                    condition=Q(of=of),
                )
                for of in ("invoices", "credit_notes")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_of_display()} {self.first} to {self.last}"
