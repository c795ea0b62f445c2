"""How call records are voided: they count as if never made (R35; billing-policy.md, 16)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.roles import require_staff
from billing.calls import locking
from billing.calls.locking import MARK_LATE, lock_accounts, take_turn
from billing.calls.sql import rows, run
from billing.models import CallRecord, CreditNote
from core.chunks import cut
from core.clock import database_now
from core.money import money

PERMISSION = "billing.void_callrecord"
CHUNK = 50_000
LONGEST_REASON = 500
TABLE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS void_call (
        id bigint, account_id bigint, day date, is_toll_free boolean, minutes bigint, is_final boolean);
    TRUNCATE void_call
"""
CHOSEN = """
    INSERT INTO void_call
    SELECT id, account_id, day, is_toll_free, minutes,
        NOT writing_history() AND coalesce(day, (started_at AT TIME ZONE 'UTC')::date) < (SELECT first_open_day())
    FROM billing_callrecord WHERE id = ANY(%s) AND NOT is_voided AND seconds > 0
"""
HOLDERS = "SELECT DISTINCT account_id FROM void_call WHERE account_id IS NOT NULL"
VOIDED = f"""
    WITH matched AS (SELECT account_id, day, is_toll_free FROM void_call WHERE account_id IS NOT NULL), {MARK_LATE}
    INSERT INTO billing_callvoid (record_id, by_id, at, reason)
    SELECT id, %(by)s, %(at)s, %(reason)s FROM void_call ORDER BY id
"""  # noqa: S608 - our own text
CREDITED = """
    SELECT DISTINCT note.id FROM billing_creditnote note
    JOIN billing_invoice i ON i.id = note.invoice_id JOIN billing_invoiceline l ON l.invoice_id = i.id
    WHERE (i.account_id, l.month) IN (
        SELECT account_id, date_trunc('month', day)::date FROM void_call WHERE is_toll_free AND account_id IS NOT NULL)
"""
COUNTED = """
    SELECT count(*), count(*) FILTER (WHERE is_toll_free AND account_id IS NOT NULL),
        coalesce(sum(minutes) FILTER (WHERE is_toll_free AND account_id IS NOT NULL), 0),
        count(*) FILTER (WHERE is_final)
    FROM void_call
"""


@dataclass
class Voided:
    """What a void changes, or would change: records, those that are charged and their minutes, and credit notes."""

    records: int = 0
    charged: int = 0
    minutes: int = 0
    final: int = 0
    accounts: set[int] = field(default_factory=set)
    notes: dict[int, CreditNote] = field(default_factory=dict)

    @property
    def credited(self) -> Decimal:
        """The sum of the credit notes on invoices with lines of the months concerned, USD."""
        return sum((note.amount for note in self.notes.values()), Decimal("0.00"))

    def add(self, other: "Voided") -> None:
        self.records += other.records
        self.charged += other.charged
        self.minutes += other.minutes
        self.final += other.final
        self.accounts |= other.accounts
        self.notes |= other.notes


def preview(records: "QuerySet[CallRecord]") -> Voided:
    """Return what voiding these records would change. Nothing is written or locked."""
    found = Voided()
    for chunk in cut(keys_of(records), CHUNK):
        with transaction.atomic():
            run(TABLE)
            run(CHOSEN, [chunk])
            found.add(_counted())
    return found


def keys_of(records: "QuerySet[CallRecord]") -> list[int]:
    """Return the keys of those of the records that stand, in order."""
    keys = records.filter(is_voided=False, seconds__gt=0).order_by()
    return sorted(keys.values_list("pk", flat=True))


def check_void(voided: Voided, *, confirmed: bool) -> None:
    """Refuse a void of final months, and one beside credit notes that nobody confirmed."""
    if voided.final:
        raise ValidationError(
            "%(tried)s of these records are of final months: nothing of them changes any more.",
            code="final_month",
            params={"tried": f"{voided.final:,}"},
        )
    if voided.notes and not confirmed:
        notes = [f"{note.title} ({money(note.amount)} on {note.invoice.title})" for note in voided.notes.values()]
        raise ValidationError(
            "Credit notes were issued on invoices with lines of these months: %(notes)s, %(tried)s in total. "
            "The void changes what these months owe as well. Confirm that nothing is refunded twice.",
            code="credited",
            params={"notes": ", ".join(notes), "tried": money(voided.credited)},
        )


def required_reason(by: User, reason: str) -> str:
    """Return the reason; PermissionDenied without the permission to void, ValidationError without a reason."""
    denial = "Only the Billing team can void calls, and decide about what was set aside or rejected."
    require_staff(by, PERMISSION, denial)
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": ValidationError("Enter a reason.", code="reason_missing")})
    if len(reason) > LONGEST_REASON:
        raise ValidationError(
            {"reason": ValidationError(f"Enter at most {LONGEST_REASON} characters.", code="reason_too_long")}
        )
    return reason


def void_keys(keys: Sequence[int], *, by: User, reason: str, confirmed: bool, now: datetime | None) -> Voided:
    """Void records in the caller's transaction: under the locks of their accounts, as calls are matched."""
    take_turn()
    run(TABLE)
    run(CHOSEN, [list(keys)])
    lock_accounts(HOLDERS)
    locking.checkpoint("after lock")
    voided = _counted()
    check_void(voided, confirmed=confirmed)
    run(VOIDED, {"by": by.pk, "at": now or database_now(), "reason": reason})
    locking.checkpoint("before commit")
    return voided


def _counted() -> Voided:
    records, charged, minutes, final = rows(COUNTED)[0]
    notes = CreditNote.objects.filter(pk__in=[key for (key,) in rows(CREDITED)]).select_related("invoice")
    accounts = {key for (key,) in rows(HOLDERS)}
    return Voided(records, charged, int(minutes), final, accounts, {note.pk: note for note in notes.order_by("number")})
