"""The back office of users, accounts and numbers. Higher apps register what they add to an account's page."""

from accounts.admin.customers import ACCOUNT_PAGE, AccountAdmin, ContactAdmin, ServiceUserAdmin
from accounts.admin.numbers import NumberAssignmentAdmin, PhoneNumberAdmin
from accounts.admin.refusals import RefusalAdmin
from accounts.admin.users import GroupAdmin, UserAdmin

__all__ = [
    "ACCOUNT_PAGE",
    "AccountAdmin",
    "ContactAdmin",
    "GroupAdmin",
    "NumberAssignmentAdmin",
    "PhoneNumberAdmin",
    "RefusalAdmin",
    "ServiceUserAdmin",
    "UserAdmin",
]
