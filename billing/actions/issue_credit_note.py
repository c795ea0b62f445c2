"""The action that issues a credit note."""

from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError

from accounts.acting import action
from accounts.models import Account, User
from billing.deciding import of_account, require_billing_team
from billing.deliveries.enqueue import enqueue_credit_note
from billing.differences import open_differences
from billing.documents.freezing import freeze_credit_note, issue_at
from billing.documents.presentation import presentation_today
from billing.models import CreditNote, Invoice
from billing.pricing.charges import CENT
from billing.runs.writing import take_numbers
from core.clock import database_now
from core.money import money


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
    """Issue a credit note for an amount in USD on an invoice, queue its emails, and return it.

    Raises PermissionDenied unless the user is on the Billing team. Raises ValidationError if the reason is empty, or if
    the amount is not positive, has fractions of a cent, or is more than the part of the invoice not yet credited. The
    code is `stale` if that part is not the one `seen` on the page, so that a form sent twice credits only once. The
    code is `difference` if a month on the invoice has a difference that is not invoiced yet, unless
    `confirm_difference` is set, because the next invoice will include it anyway. The code is `no_issuer` if nobody has
    entered who issues documents.
    """
    require_billing_team(by, "billing.issue_creditnote", "issue credit notes")
    creditable = of_account(account, invoice).creditable
    if seen is not None and seen != creditable:
        raise ValidationError("Money was given back on this invoice meanwhile. Look again.", code="stale")
    reasons = {}
    if refusal := _amount_refusal(amount, creditable, invoice):
        reasons["amount"] = refusal
    if not reason.strip():
        reasons["reason"] = ValidationError("Say why the money is given back.", code="reason_missing")
    if reasons:
        raise ValidationError(reasons)
    if not confirm_difference and (refusal := _difference_refusal(invoice)):
        raise refusal
    now = now or database_now()
    issue = issue_at(now, [account.timezone])
    if refusal := issue.issuer_refusal(account.timezone):
        raise refusal
    presentation = presentation_today()
    note = CreditNote.objects.create(
        number=take_numbers("credit_notes", 1),
        invoice=invoice,
        amount=amount,
        reason=reason.strip(),
        by=by,
        at=now,
    )
    freeze_credit_note(note, issue, presentation)
    enqueue_credit_note(note, now=now)
    return note


def _difference_refusal(invoice: Invoice) -> ValidationError | None:
    """Return the refusal if months on the invoice have a difference that is not invoiced yet, otherwise None."""
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


def _amount_refusal(amount: Decimal, creditable: Decimal, invoice: Invoice) -> ValidationError | None:
    """Return the refusal of crediting this amount if only `creditable` may still be credited, or None."""
    params = {"tried": amount, "left": money(creditable), "invoice": invoice.title}
    if not amount.is_finite() or amount <= 0:
        return ValidationError("A credit note gives back more than 0.00.", code="credit_not_positive", params=params)
    if creditable <= 0:
        return ValidationError("Nothing is left of %(invoice)s to give back.", code="credit_too_large", params=params)
    if amount > creditable:
        words = "At most %(left)s can be given back on %(invoice)s."
        return ValidationError(words, code="credit_too_large", params=params)
    if amount != amount.quantize(CENT):
        return ValidationError("An amount has no parts of a cent.", code="credit_parts_of_a_cent", params=params)
    return None
