from subscriptions.actions.assign import assign_number, assign_users, unassign_number
from subscriptions.actions.change import Confirmation, change_subscription
from subscriptions.actions.install import install

__all__ = [
    "Confirmation",
    "assign_number",
    "assign_users",
    "change_subscription",
    "install",
    "unassign_number",
]
