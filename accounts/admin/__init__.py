"""The back office: people, accounts and numbers. Where a higher app adds to a page, that app registers it."""

from accounts.admin.bases import (
    CarefulAdmin,
    CarefulInline,
    CarefulList,
    HistoryAdmin,
    ReadOnly,
    ReadOnlyAdmin,
    WholeForm,
)
from accounts.admin.customers import AccountAdmin, ContactAdmin, ServiceUserAdmin
from accounts.admin.numbers import NumberAssignmentAdmin, PhoneNumberAdmin
from accounts.admin.refusals import RefusalAdmin
from accounts.admin.users import GroupAdmin, UserAdmin

__all__ = [
    "AccountAdmin",
    "CarefulAdmin",
    "CarefulInline",
    "CarefulList",
    "ContactAdmin",
    "GroupAdmin",
    "HistoryAdmin",
    "NumberAssignmentAdmin",
    "PhoneNumberAdmin",
    "ReadOnly",
    "ReadOnlyAdmin",
    "RefusalAdmin",
    "ServiceUserAdmin",
    "UserAdmin",
    "WholeForm",
]
