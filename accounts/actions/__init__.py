"""What is done to an account's own rows: one verb a file."""

from accounts.actions.add_service_user import add_service_user

__all__ = [
    "add_service_user",
]
