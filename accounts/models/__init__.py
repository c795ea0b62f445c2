from accounts.models.account import Account, AccountQuerySet, Contact, Role
from accounts.models.numbers import NumberAssignment, PhoneNumber
from accounts.models.people import ServiceRole, ServiceUser
from accounts.models.refusal import Refusal
from accounts.models.user import User

__all__ = [
    "Account",
    "AccountQuerySet",
    "Contact",
    "NumberAssignment",
    "PhoneNumber",
    "Refusal",
    "Role",
    "ServiceRole",
    "ServiceUser",
    "User",
]
