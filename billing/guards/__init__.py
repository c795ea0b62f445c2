"""The triggers that enforce the rules of bills and call records in the database."""

from billing.guards.bills import GUARDS as OF_BILLS
from billing.guards.calls import FIRST_OPEN_DAY
from billing.guards.calls import GUARDS as OF_CALLS

GUARDS = [*OF_BILLS, *OF_CALLS]
FUNCTIONS = [FIRST_OPEN_DAY]
