"""Customers' accounts, and the contacts who may act for them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models.user import User
from accounts.zone_rules import is_offered
from accounts.zones import day_in, known_zone

UTC_ZONE = ZoneInfo("UTC")
NOT_A_PLACE = "“%(value)s” is not a time zone that can be chosen. Choose a place, like America/New_York, or UTC."

UNKNOWN_ZONE = _("The account's time zone, “%(name)s”, is not known. An administrator can correct it.")


def validate_timezone(name: str) -> None:
    """Raise ValidationError if the pinned rules don't have a zone of this name."""
    if known_zone(name) is None:
        raise ValidationError(NOT_A_PLACE, code="unknown_timezone", params={"value": name})


def unknown_zone(name: str) -> str:
    """Return the sentence that says that an account's time zone is not known."""
    return str(UNKNOWN_ZONE) % {"name": name}


class AccountQuerySet(models.QuerySet["Account"]):
    """Queries for accounts. Customers' pages start from `for_user`."""

    def for_user(self, user: Any) -> "AccountQuerySet":
        """Accounts of which the user is a contact; none for a visitor who isn't logged in."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(models.Exists(Contact.objects.filter(account=models.OuterRef("pk"), user=user)))

    def locked(self) -> "AccountQuerySet":
        """Lock the rows of the accounts, in the order of their keys so that no two transactions can deadlock.

        Every action does this first and reads what belongs to the account afterwards. Must run in a transaction.
        """
        return self.order_by("pk").select_for_update(no_key=True)


class Account(models.Model):
    """A customer of the provider. Its time zone decides when its days and months begin.

    The zone must be a place that both Python and the database know (guard `account_timezone_is_offered`); an account
    from before that rule may keep another one. Days that are already stored don't change when the zone is corrected.
    """

    number = models.CharField(
        max_length=12,
        unique=True,
        validators=[RegexValidator(r"^[0-9]{4,12}\Z", "An account number is 4 to 12 digits.")],
    )
    company = models.CharField(max_length=200)
    timezone = models.CharField(
        "time zone",
        max_length=64,
        default="America/New_York",
        help_text=(
            "Days and months of bills are this zone's. Once Contact Center is installed, only an administrator can "
            "correct it, as long as no invoice was issued."
        ),
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = AccountQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["number"]
        permissions = [("correct_timezone", "Can correct the time zone of an account with Contact Center")]

    def __str__(self) -> str:
        return f"{self.company} ({self.number})"

    def get_absolute_url(self) -> str:
        return reverse("overview", args=[self.number])

    def clean(self) -> None:
        """Raise ValidationError for a new time zone that can't be chosen (R34); the account's current one may stay."""
        is_unchanged = Account.objects.filter(pk=self.pk, timezone=self.timezone).exists() if self.pk else False
        if self.timezone and not is_unchanged and not is_offered(self.timezone):
            reason = ValidationError(NOT_A_PLACE, code="unknown_timezone", params={"value": self.timezone})
            raise ValidationError({"timezone": reason})

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which times are shown: the account's own, or UTC if that is not known, so that no page breaks."""
        return known_zone(self.timezone) or UTC_ZONE

    def day_of(self, moment: datetime) -> date:
        """Return the calendar day of an instant in the account's time zone (billing policy 2)."""
        return day_in(self.zone, moment)

    def decided_day(self, moment: datetime) -> date:
        """Return the calendar day of an instant in the account's time zone, to be stored (billing policy 15).

        Raises ValidationError if the account's zone is not known: unlike a day that is only shown, it must be right.
        """
        if known_zone(self.timezone) is None:
            raise ValidationError(UNKNOWN_ZONE, code="unknown_timezone", params={"name": self.timezone})
        return self.day_of(moment)

    def begins_day(self, moment: datetime) -> bool:
        """Return whether a calendar day of the account's time zone begins at exactly this instant.

        That is midnight, unless the clock is changed then.
        """
        return self.day_of(moment.astimezone(UTC) - timedelta(microseconds=1)) < self.day_of(moment)


class Role(models.TextChoices):
    """What a contact may do on an account (R20)."""

    OWNER = "owner", _("Account Owner")
    TECHNICAL = "technical", _("Technical Administrator")
    BILLING = "billing", _("Billing Manager")
    VIEWER = "viewer", _("Viewer")


class Contact(models.Model):
    """A user in a role on an account. Users may have several roles, and be contacts of several accounts."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contacts")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="contacts")
    role = models.CharField(max_length=16, choices=Role.choices)

    history = HistoricalRecords()

    class Meta:
        ordering = ["account", "user", "role"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "user", "role"],
                name="contact_once_per_role",
                violation_error_code="contact_once_per_role",
                violation_error_message="This user already has this role on the account.",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values),
                name="contact_role_is_known",
                violation_error_message="Choose one of the roles.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.account}"

    def clean(self) -> None:
        """Raise ValidationError if the user is staff: they would get the customer's email, and act as the customer."""
        user = getattr(self, "user", None)
        if user and user.is_of_staff:
            refusal = ValidationError(
                "%(email)s is a login of staff. Choose a login of the customer.",
                code="staff_contact",
                params={"email": user.email},
            )
            raise ValidationError({"user": refusal})


def customers_of(account: Account) -> models.QuerySet[User]:
    """Return the users who are or were contacts of an account; nobody of the provider's."""
    ever = Contact.history.filter(account=account.pk).values("user_id")
    return User.objects.filter(pk__in=ever, is_staff=False, is_system=False)
