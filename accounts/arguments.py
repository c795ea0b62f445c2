"""Command-line arguments that name a user."""

from django.core.management.base import CommandError

from accounts.models import User


def user_named(email: str) -> User:
    """Return the user with this email address, in any case. Raises CommandError if there is none."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise CommandError(f"There is no user with the email address {email}.")
    return user
