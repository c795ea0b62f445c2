"""The triggers that enforce the rules of bills and call records in the database."""

from billing.guards.bills import GUARDS as OF_BILLS
from billing.guards.calls import FIRST_OPEN_DAY
from billing.guards.calls import GUARDS as OF_CALLS
from billing.guards.deliveries import GUARDS as OF_DELIVERIES
from billing.guards.documents import GUARDS as OF_DOCUMENTS
from billing.guards.numbers import GUARDS as OF_NUMBERS
from billing.guards.parties import GUARDS as OF_PARTIES
from core.guards import Guard, deleted_last, keep_keys

KEYS: list[Guard] = [
    *keep_keys(
        "billing_billrun",
        "billing_callfeed",
        "billing_callimport",
        "billing_callmapping",
        "billing_callrecord",
        "billing_callrules",
        "billing_counter",
        "billing_heldbill",
        "billing_latemonth",
        "billing_rejectedcall",
        "billing_setasidecall",
        "billing_unbilledmonth",
    ),
    *deleted_last("billing_billrun", "billing_callimport"),
]
GUARDS: list[Guard] = [*OF_BILLS, *OF_NUMBERS, *OF_CALLS, *OF_PARTIES, *OF_DOCUMENTS, *OF_DELIVERIES, *KEYS]
FUNCTIONS = [FIRST_OPEN_DAY]
