"""What signatures and ciphers of the login are made with."""

from django.conf import settings

from accounts.models import User


def secrets_in_use() -> list[str | bytes]:
    """Return SECRET_KEY, with which everything new is signed and encrypted, then each of SECRET_KEY_FALLBACKS."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def password_digest(user: User) -> str:
    """Return a short keyed digest of the user's password, which changes with it."""
    return user.get_session_auth_hash()[:20]
