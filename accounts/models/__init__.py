from accounts.models.account import Account, AccountQuerySet, Contact, Role
from accounts.models.numbers import NumberAssignment, PhoneNumber
from accounts.models.people import ServiceRole, ServiceUser
from accounts.models.refusal import Refusal
from accounts.models.user import Language, User

__all__ = [
    "Account",
    "AccountQuerySet",
    "Contact",
    "Language",
    "NumberAssignment",
    "PhoneNumber",
    "Refusal",
    "Role",
    "ServiceRole",
    "ServiceUser",
    "User",
]
