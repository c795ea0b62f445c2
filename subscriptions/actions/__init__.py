"""The actions on the catalog, subscriptions, service users and numbers, one per file."""

from subscriptions.actions.assign_number import assign_number
from subscriptions.actions.assign_users import assign_users
from subscriptions.actions.change_subscription import change_subscription
from subscriptions.actions.correct_assignment import correct_assignment
from subscriptions.actions.import_people import import_people
from subscriptions.actions.install import install
from subscriptions.actions.load_catalogue import Loaded, load_catalogue
from subscriptions.actions.propose_people import propose_people
from subscriptions.actions.propose_subscription import Proposal, propose_subscription
from subscriptions.actions.save_item import save_item
from subscriptions.actions.set_prices import set_prices
from subscriptions.actions.unassign_number import unassign_number

__all__ = [
    "Loaded",
    "Proposal",
    "assign_number",
    "assign_users",
    "change_subscription",
    "correct_assignment",
    "import_people",
    "install",
    "load_catalogue",
    "propose_people",
    "propose_subscription",
    "save_item",
    "set_prices",
    "unassign_number",
]
