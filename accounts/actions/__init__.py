"""What is done to accounts and the people who use them: one verb a file."""

from accounts.actions.add_service_user import add_service_user
from accounts.actions.remove_contact import remove_contact
from accounts.actions.save_account import save_account
from accounts.actions.save_contact import save_contact
from accounts.actions.save_number import save_number
from accounts.actions.save_service_user import save_service_user
from accounts.actions.save_user import save_user
from accounts.actions.take_off_second_factor import take_off_second_factor

__all__ = [
    "add_service_user",
    "remove_contact",
    "save_account",
    "save_contact",
    "save_number",
    "save_service_user",
    "save_user",
    "take_off_second_factor",
]
