"""Constraints that several tables of bills have."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

MOST = Decimal(10) ** 10


def number_check(name: str, *fields: str) -> models.CheckConstraint:
    """Return a constraint that these amounts are numbers: to PostgreSQL, NaN is one that is larger than all others."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__lt": MOST for field in fields}),
        name=name,
        violation_error_message="An amount must be a number.",
    )


def month_check(name: str) -> models.CheckConstraint:
    """Return a constraint that `month` is the first day of a month."""
    return models.CheckConstraint(
        condition=Q(month__day=1), name=name, violation_error_message="A month is named by its first day."
    )
