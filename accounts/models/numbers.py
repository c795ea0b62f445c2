"""Phone numbers, and the periods in which each was assigned to Contact Center."""

import functools
import operator
import re
from datetime import datetime
from typing import Any

import phonenumbers
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Func, Q, Value
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField
from simple_history.models import HistoricalRecords

from accounts.models.account import Account
from accounts.models.user import User

# Digits and punctuation; letters only as the prefix tel:, or after three digits, as in 1-800-FLOWERS.
WRITTEN = re.compile(r"(tel:)?([\d\W]+|(\W*\d){3}.*)", re.IGNORECASE)


def national(number: Any) -> str:
    """Return a number, or a text in E.164, as it is written in its own country, like (800) 555-0100."""
    parsed = phonenumbers.parse(number) if isinstance(number, str) else number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def digits_typed(text: str) -> set[str]:
    """Return the digits that a typed number, or a part of one, may have in E.164; an empty set if it is not a number.

    Any notation is understood: spaces, punctuation, parentheses, digits of other scripts, letters on keys
    (1-800-FLOWERS), an extension, and the prefixes `tel:`, `+`, `011` and `0`.
    """
    text = text.strip()
    digits = phonenumbers.normalize_digits_only(text)
    if not digits or not WRITTEN.fullmatch(text):
        return set()
    found = {digits.lstrip("0")} - {""}
    try:
        number = phonenumbers.parse(text, settings.PHONENUMBER_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return found
    if phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE:
        found.add(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])
    return found


class PhoneNumberQuerySet(models.QuerySet["PhoneNumber"]):
    def matching(self, text: str) -> "PhoneNumberQuerySet":
        """Numbers that contain the typed digits, in any notation; all for a blank text, none if it isn't a number."""
        if not text.strip():
            return self
        containing = [Q(number__contains=digits) for digits in digits_typed(text)]
        return self.filter(functools.reduce(operator.or_, containing)) if containing else self.none()

    def of_kind(self, kind: str) -> "PhoneNumberQuerySet":
        return self.filter(kind=kind)

    def assigned(self) -> "PhoneNumberQuerySet":
        """Numbers that are assigned to Contact Center now."""
        return self.filter(models.Exists(NumberAssignment.objects.current().filter(number=models.OuterRef("pk"))))

    def unassigned(self) -> "PhoneNumberQuerySet":
        return self.exclude(models.Exists(NumberAssignment.objects.current().filter(number=models.OuterRef("pk"))))


class PhoneNumber(models.Model):
    """A number that the provider gave to an account. Its kind follows from the numbering plan and is never entered."""

    class Kind(models.TextChoices):
        LOCAL = "local", _("Local")
        TOLL_FREE = "toll_free", _("Toll-free")

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="phone_numbers")
    number = PhoneNumberField(unique=True, error_messages={"unique": "This number already belongs to an account."})
    kind = models.CharField(max_length=16, choices=Kind.choices, editable=False)

    objects = PhoneNumberQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="phone_number_is_e164",
                violation_error_message="Write the number in international form, like +1 212 555 0100.",
            ),
        ]

    def __str__(self) -> str:
        return self.national

    def save(self, *args: Any, **kwargs: Any) -> None:
        toll_free = phonenumbers.number_type(self.number) == phonenumbers.PhoneNumberType.TOLL_FREE
        self.kind = self.Kind.TOLL_FREE if toll_free else self.Kind.LOCAL
        super().save(*args, **kwargs)

    @property
    def national(self) -> str:
        """The number as it is written in its own country, like (800) 555-0100."""
        return national(self.number)

    def clean(self) -> None:
        """Raise ValidationError if the number moves to another account while it is assigned to Contact Center.

        It may move to the account that has it assigned.
        """
        moved = Account.objects.filter(phone_numbers=self.pk).exclude(pk=self.account_id)
        if self.pk and moved.exists() and self.assignments.current().exclude(account=self.account_id).exists():
            raise ValidationError(
                {
                    "account": ValidationError(
                        "The number is assigned to Contact Center: unassign it before it moves.",
                        code="number_assigned",
                    )
                }
            )


class NumberAssignmentQuerySet(models.QuerySet["NumberAssignment"]):
    def current(self) -> "NumberAssignmentQuerySet":
        """Assignments that have not ended."""
        return self.filter(period__endswith=None)

    def at(self, moment: datetime) -> "NumberAssignmentQuerySet":
        """Assignments in force at an instant. Calls are matched by this."""
        return self.filter(period__contains=moment)


class NumberAssignment(models.Model):
    """A period in which a number was assigned to an account's Contact Center.

    The start is inclusive, the end exclusive. The end is set once, and nothing else in the row ever changes (guard
    `accounts_numberassignment_is_final`).
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="number_assignments")
    number = models.ForeignKey(PhoneNumber, on_delete=models.PROTECT, related_name="assignments")
    period = DateTimeRangeField()
    assigned_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)

    objects = NumberAssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            ExclusionConstraint(
                name="number_assigned_once_at_a_time",
                expressions=[
                    (Func("number", "number", Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    ("period", RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("The number is already assigned in this period."),
            ),
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__startswith__isnull=False),
                name="number_assignment_has_a_period",
                violation_error_message="An assignment must end after it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.period}"
