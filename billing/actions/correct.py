"""The verbs of the billing team: decide about a held bill, give money back."""

from datetime import datetime
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError

from accounts.actions import AlreadyDone, action, database_now
from accounts.models import Account, User
from billing.facts import tariffs
from billing.models import CreditNote, HeldBill, Invoice
from billing.run import bill_chunk
from billing.writing import take_numbers


@action
def release_bill(
    account: Account, held: HeldBill, *, by: User, note: str = "", now: datetime | None = None
) -> Invoice | None:
    """Issue a held bill as it stands now, and return its invoice; None where nothing is owed any more."""
    _decide(held, HeldBill.State.RELEASED, by=by, note=note, now=now)
    outcome = bill_chunk(
        [account.pk], month=held.month, now=now or database_now(), catalogue=tariffs(), hold_outliers=False
    )
    for reason in outcome.failed.values():
        raise ValidationError(reason, code="bill_failed")
    return Invoice.objects.filter(account=account, month=held.month).first()


@action
def reject_bill(account: Account, held: HeldBill, *, by: User, note: str, now: datetime | None = None) -> HeldBill:
    """Reject a held bill; once its cause is corrected, the next run of the month bills the account anew."""
    if not note.strip():
        raise ValidationError({"note": ValidationError("Say why the bill is rejected.", code="note_missing")})
    return _decide(held, HeldBill.State.REJECTED, by=by, note=note, now=now)


def _decide(held: HeldBill, state: HeldBill.State, *, by: User, note: str, now: datetime | None) -> HeldBill:
    _require(by, "billing.decide_heldbill", "decide about held bills")
    held.refresh_from_db()
    if held.state != HeldBill.State.HELD:
        raise AlreadyDone(f"This bill was {held.get_state_display().lower()} already.", code="already_decided")
    held.state, held.decided_by, held.decided_at, held.note = state, by, now or database_now(), note.strip()
    held.save()
    return held


@action
def issue_credit_note(
    account: Account, invoice: Invoice, *, amount: Decimal, reason: str, by: User, now: datetime | None = None
) -> CreditNote:
    """Give money back on an invoice, and return the credit note.

    Refused without a reason, for 0.00 or less, for parts of a cent, and for more than is left of the invoice.
    """
    _require(by, "billing.issue_creditnote", "issue credit notes")
    note = CreditNote(invoice=invoice, amount=amount, reason=reason.strip(), by=by, at=now or database_now())
    given = sum(invoice.credit_notes.values_list("amount", flat=True), Decimal(0))
    if amount > invoice.total - given:
        raise ValidationError(
            {
                "amount": ValidationError(
                    "At most $%(left)s can be given back on %(invoice)s.",
                    code="credit_too_large",
                    params={"left": f"{invoice.total - given:,.2f}", "invoice": invoice.title, "tried": amount},
                )
            }
        )
    note.clean_fields(exclude=["number"])
    note.number = take_numbers("credit_notes", 1)
    note.save()
    return note


def _require(by: User, permission: str, what: str) -> None:
    current = User.objects.filter(pk=by.pk, is_active=True, is_staff=True).first()
    if current is None or not current.has_perm(permission):
        raise PermissionDenied(f"Only the Billing team can {what}.")
