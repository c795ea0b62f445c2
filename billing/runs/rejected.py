"""Rejected bills (R42): the automatic run bills such a month again as soon as the bill would be different.

A digest of the bill is stored when it is rejected. It changes with everything that the bill is computed from: calls of
this or an earlier month, what is held, prices, the activation, the time zone. A person can run the month at any time.
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
    return _digest(_inputs([account], month, tariffs())[account], month)


def unchanged(month: date) -> set[int]:
    """Return the keys of the accounts whose bill for a month was rejected, and would be the same now.

    One query if there are none. For bills that were rejected before digests were stored, the totals are compared.
    """
    rows = {row.account_id: row for row in BillOnHold.objects.rejected_and_unbilled().filter(month=month)}
    found = _inputs(sorted(rows), month, tariffs()) if rows else {}
    return {account for account, row in rows.items() if _is_unchanged(row, found[account])}


def _is_unchanged(row: BillOnHold, inputs: BillingInputs | str | None) -> bool:
    if row.digest:
        return _digest(inputs, row.month) == row.digest
    if isinstance(inputs, str):
        return True  # nobody knows what the bill would be, and a run couldn't compute it either
    try:
        return Bill(row.account_id, inputs.to_invoice(row.month) if inputs else []).total == row.total
    except NotPriced:
        return True


def _digest(inputs: BillingInputs | str | None, month: date) -> str:
    content = inputs if isinstance(inputs, str) else ""
    if isinstance(inputs, BillingInputs):
        try:
            lines = [" ".join(map(str, line)) for line in inputs.to_invoice(month)]
            content = "\n".join([inputs.zone, *lines])
        except NotPriced as error:
            content = str(error)
    return sha256(content.encode()).hexdigest()


def _inputs(accounts: Sequence[int], month: date, catalogue: Tariffs) -> dict[int, BillingInputs | str | None]:
    """Return each account's inputs; None if it has none for the month, or the reason if the database refuses."""
    try:
        with transaction.atomic():
            found = inputs_of(accounts, month, catalogue)
            return {account: found.get(account) for account in accounts}
    except DatabaseError as error:
        if len(accounts) == 1:
            return {accounts[0]: str(error).strip().splitlines()[0]}
    each: dict[int, BillingInputs | str | None] = {}
    for account in accounts:
        each |= _inputs([account], month, catalogue)
    return each
