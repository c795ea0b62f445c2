from subscriptions.actions.assign import assign_number, assign_users, correct_assignment, unassign_number
from subscriptions.actions.change import Confirmation, Proposal, change_subscription, propose_subscription
from subscriptions.actions.import_people import import_people, propose_people
from subscriptions.actions.install import install

__all__ = [
    "Confirmation",
    "Proposal",
    "assign_number",
    "assign_users",
    "change_subscription",
    "correct_assignment",
    "import_people",
    "install",
    "propose_people",
    "propose_subscription",
    "unassign_number",
]
