"""People who log in: customers' contacts and the provider's staff."""

from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

SYSTEM_MEMBER = "schedule@system.invalid"


class Language(models.TextChoices):
    """The languages of pages and emails."""

    ENGLISH = "en", "English"
    SPANISH = "es", "Español"


class UserManager(BaseUserManager["User"]):
    """Creates and finds users by their email address, which is stored in lower case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create and return a user; without a password, they can't log in until they have set one by a reset."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def system_member(self) -> "User":
        """Return the system member, in whose name automatic activations are recorded, creating it if necessary."""
        if found := self.filter(is_system=True).first():
            return found
        try:
            with transaction.atomic():
                return self.create_user(SYSTEM_MEMBER, first_name="Onboarding", last_name="schedule", is_system=True)
        except IntegrityError:  # another process created it at the same moment
            return self.get(is_system=True)


class User(AbstractUser):
    """A person who can log in. Users are deactivated and never deleted, because history names them."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    language = models.CharField(
        max_length=5, choices=Language.choices, default=Language.ENGLISH, db_default=Language.ENGLISH
    )
    is_system = models.BooleanField("stands for the schedule", default=False, db_default=False, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")),
                name="user_email_is_lower_case",
                violation_error_message="Write the e-mail address in lower case.",
            ),
            models.UniqueConstraint(
                fields=["is_system"],
                condition=models.Q(is_system=True),
                name="one_system_member",
                violation_error_message="There is one system member already.",
            ),
            models.CheckConstraint(
                condition=models.Q(is_system=False)
                | models.Q(is_staff=False, is_superuser=False, password__startswith="!"),
                name="system_member_never_logs_in",
                violation_error_message="The system member has no password and no rights of staff.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()
        super().save(*args, **kwargs)
        # django-allauth remembers each address that was used to log in, and would accept an old one forever.
        apps.get_model("account", "EmailAddress").objects.filter(user=self).exclude(email=self.email).delete()

    @property
    def is_of_staff(self) -> bool:
        """Whether they are staff or an administrator, and so nobody of a customer's."""
        return self.is_staff or self.is_superuser
