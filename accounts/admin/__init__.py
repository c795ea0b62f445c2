"""The back office: people, accounts and numbers. Where a higher app adds to a page, that app registers it."""

from accounts.admin.customers import AccountAdmin, ContactAdmin, ServiceUserAdmin
from accounts.admin.numbers import NumberAssignmentAdmin, PhoneNumberAdmin
from accounts.admin.refusals import RefusalAdmin
from accounts.admin.users import GroupAdmin, UserAdmin

__all__ = [
    "AccountAdmin",
    "ContactAdmin",
    "GroupAdmin",
    "NumberAssignmentAdmin",
    "PhoneNumberAdmin",
    "RefusalAdmin",
    "ServiceUserAdmin",
    "UserAdmin",
]
