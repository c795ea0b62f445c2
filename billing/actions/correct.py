"""The verbs of the billing team: decide about a bill on hold, issue a credit note."""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from accounts.roles import require_staff
from billing.differences import open_differences
from billing.inputs import tariffs
from billing.models import BillOnHold, CreditNote, Invoice
from billing.pricing.charges import CENT
from billing.runs.chunk import bill_chunk
from billing.runs.rejected import digest_now
from billing.runs.writing import take_numbers
from core.clock import database_now
from core.money import money
from core.refusals import AlreadyDone

Row = TypeVar("Row", BillOnHold, Invoice)


@action
def release_bill(
    account: Account, held: BillOnHold, *, by: User, note: str = "", now: datetime | None = None
) -> Invoice | None:
    """Issue a bill on hold as it stands now, and return its invoice; None if nothing is owed any more."""
    _decide(_of_account(account, held), BillOnHold.State.RELEASED, by=by, note=note, now=now)
    outcome = bill_chunk(
        [account.pk], month=held.month, now=now or database_now(), catalogue=tariffs(), hold_outliers=False
    )
    for reason in outcome.failed.values():
        raise ValidationError(reason, code="bill_failed")
    return Invoice.objects.filter(account=account, month=held.month).first()


@action
def reject_bill(account: Account, held: BillOnHold, *, by: User, note: str, now: datetime | None = None) -> BillOnHold:
    """Reject a bill on hold: it waits until it would be another one, or until a person runs the month (R42)."""
    if not note.strip():
        raise ValidationError({"note": ValidationError("Say why the bill is rejected.", code="note_missing")})
    return _decide(_of_account(account, held), BillOnHold.State.REJECTED, by=by, note=note, now=now)


def _decide(held: BillOnHold, state: BillOnHold.State, *, by: User, note: str, now: datetime | None) -> BillOnHold:
    _require(by, "billing.decide_billonhold", "decide about bills on hold")
    held.refresh_from_db()
    if held.state != BillOnHold.State.HELD:
        raise AlreadyDone(f"This bill was {held.get_state_display().lower()} already.", code="already_decided")
    held.state, held.decided_by, held.decided_at, held.note = state, by, now or database_now(), note.strip()
    held.digest = digest_now(held.account_id, held.month) if state == BillOnHold.State.REJECTED else ""
    held.save()
    return held


@action
def issue_credit_note(
    account: Account,
    invoice: Invoice,
    *,
    amount: Decimal,
    reason: str,
    by: User,
    seen: Decimal | None = None,
    confirm_difference: bool = False,
    now: datetime | None = None,
) -> CreditNote:
    """Give money back on an invoice, and return the credit note.

    Refused without a reason, for 0.00 or less, for parts of a cent, and for more than is left of the invoice; and as
    stale where something else is left than was `seen` on the page, so that a form sent twice gives back once. Refused
    as `difference` if a month on the invoice has a difference that is not invoiced yet, until that is confirmed: the
    next invoice carries it anyway.
    """
    _require(by, "billing.issue_creditnote", "issue credit notes")
    creditable = _of_account(account, invoice).creditable
    if seen is not None and seen != creditable:
        raise ValidationError("Money was given back on this invoice meanwhile. Look again.", code="stale")
    reasons = {}
    if refusal := _refuse_amount(amount, creditable, invoice):
        reasons["amount"] = refusal
    if not reason.strip():
        reasons["reason"] = ValidationError("Say why the money is given back.", code="reason_missing")
    if reasons:
        raise ValidationError(reasons)
    if not confirm_difference and (refusal := _difference_refusal(invoice)):
        raise refusal
    return CreditNote.objects.create(
        number=take_numbers("credit_notes", 1),
        invoice=invoice,
        amount=amount,
        reason=reason.strip(),
        by=by,
        at=now or database_now(),
    )


def _difference_refusal(invoice: Invoice) -> ValidationError | None:
    """Return that months on an invoice have a difference which the next one carries, or None."""
    found = open_differences(invoice)
    if not found:
        return None
    months = ", ".join(f"{money(amount)} for {month:%B %Y}" for month, amount in sorted(found.items()))
    return ValidationError(
        "A difference is not invoiced yet: %(months)s. The next invoice carries it. Confirm that nothing is refunded "
        "twice.",
        code="difference",
        params={"months": months, "tried": months},
    )


def _refuse_amount(amount: Decimal, creditable: Decimal, invoice: Invoice) -> ValidationError | None:
    """Return why this amount can't be given back on an invoice of which that much is left, or None."""
    params = {"tried": amount, "left": f"{creditable:,.2f}", "invoice": invoice.title}
    if not amount.is_finite() or amount <= 0:
        return ValidationError("A credit note gives back more than 0.00.", code="credit_not_positive", params=params)
    if creditable <= 0:
        return ValidationError("Nothing is left of %(invoice)s to give back.", code="credit_too_large", params=params)
    if amount > creditable:
        words = "At most $%(left)s can be given back on %(invoice)s."
        return ValidationError(words, code="credit_too_large", params=params)
    if amount != amount.quantize(CENT):
        return ValidationError("An amount has no parts of a cent.", code="credit_parts_of_a_cent", params=params)
    return None


def _of_account(account: Account, row: Row) -> Row:
    """Return the row, of which the account's lock is held; a caller who mixes accounts up is stopped."""
    assert row.account_id == account.pk, f"{row} is of another account than {account}"
    return row


def _require(by: User, permission: str, what: str) -> None:
    require_staff(by, permission, f"Only the Billing team can {what}.")
