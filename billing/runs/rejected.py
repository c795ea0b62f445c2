"""What a rejected bill waits for (R42): the automatic run takes it again once the bill would be another one.

A digest of the bill is stored with the decision. It changes with all that the bill is computed from: calls of the month
or of an earlier one, what is held, prices, the activation, the time zone. A person can run the month at any time.
"""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256

from django.db import DatabaseError, transaction

from billing.inputs import BillingInputs, Tariffs, inputs_of, tariffs
from billing.models import BillOnHold
from billing.pricing.charges import NotPriced
from billing.runs.writing import Bill


def digest_now(account: int, month: date) -> str:
    """Return the digest of the account's bill as it would be issued now. The caller holds the account's lock."""
    return _digest(_facts([account], month, tariffs())[account], month)


def unchanged(month: date) -> set[int]:
    """Return the accounts whose bill for a month was rejected, and would be the same now.

    One query where there is none. Of bills rejected before there were digests, the total is compared.
    """
    rows = {row.account_id: row for row in BillOnHold.objects.rejected_and_unbilled().filter(month=month)}
    found = _facts(sorted(rows), month, tariffs()) if rows else {}
    return {account for account, row in rows.items() if _is_unchanged(row, found[account])}


def _is_unchanged(row: BillOnHold, facts: BillingInputs | str | None) -> bool:
    if row.digest:
        return _digest(facts, row.month) == row.digest
    if isinstance(facts, str):
        return True  # it can't be told what the bill would be, nor could a run
    try:
        return Bill(row.account_id, facts.to_invoice(row.month) if facts else []).total == row.total
    except NotPriced:
        return True


def _digest(facts: BillingInputs | str | None, month: date) -> str:
    content = facts if isinstance(facts, str) else ""
    if isinstance(facts, BillingInputs):
        try:
            lines = [" ".join(map(str, line)) for line in facts.to_invoice(month)]
            content = "\n".join([facts.zone, *lines])
        except NotPriced as error:
            content = str(error)
    return sha256(content.encode()).hexdigest()


def _facts(accounts: Sequence[int], month: date, catalogue: Tariffs) -> dict[int, BillingInputs | str | None]:
    """Return each account's facts; None where it has none for the month, and the reason where the database refuses."""
    try:
        with transaction.atomic():
            found = inputs_of(accounts, month, catalogue)
            return {account: found.get(account) for account in accounts}
    except DatabaseError as error:
        if len(accounts) == 1:
            return {accounts[0]: str(error).strip().splitlines()[0]}
    each: dict[int, BillingInputs | str | None] = {}
    for account in accounts:
        each |= _facts([account], month, catalogue)
    return each
