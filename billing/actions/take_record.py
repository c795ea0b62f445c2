"""The action that takes a record that was set aside in place of the stored ones (policy 17)."""

from datetime import date, datetime

from django.core.exceptions import ValidationError

from accounts.acting import recording_refusals
from accounts.models import User
from billing.calls import locking
from billing.calls.deciding import STORED, still_open
from billing.calls.fates import REASONS
from billing.calls.finality import first_open_day
from billing.calls.locking import MARK_LATE, lock_accounts, take_turn
from billing.calls.sql import column, rows
from billing.calls.voiding import required_reason, void_keys
from billing.models import CallRecord, SetAsideCall
from core.clock import database_now
from core.migration_guards import local_day_of
from core.refusals import AlreadyDone

HOLDERS = """
    SELECT DISTINCT account_id FROM (
        SELECT n.account_id FROM accounts_numberassignment n JOIN accounts_phonenumber p ON p.id = n.number_id
        WHERE p.number = (SELECT number FROM billing_setasidecall WHERE id = {key})
        UNION SELECT account_id FROM billing_callrecord WHERE id = ANY(ARRAY[{stored}]::bigint[])
    ) a WHERE account_id IS NOT NULL
"""
WHY_NOT_TAKEN = f"""
    SELECT CASE WHEN p.id IS NULL THEN 'unknown_number'
        WHEN s.started_at > %(now)s THEN 'in_future'
        WHEN coalesce({local_day_of("s.started_at", "z")}, (s.started_at AT TIME ZONE 'UTC')::date)
            < %(open)s THEN 'final_month' END
    FROM billing_setasidecall s LEFT JOIN accounts_phonenumber p ON p.number = s.number
    LEFT JOIN (accounts_numberassignment n JOIN accounts_account a ON a.id = n.account_id)
        ON n.number_id = p.id AND n.period @> s.started_at
    LEFT JOIN accounts_timezone z ON z.name = a.timezone
    WHERE s.id = %(key)s
"""  # noqa: S608 - our own text
TAKEN = f"""
    WITH matched AS (
        INSERT INTO billing_callrecord (call_id, leg, number, caller, started_at, seconds, is_toll_free, received_in_id,
            account_id, day, matched_at)
        SELECT s.call_id, s.leg, s.number, s.caller, s.started_at, s.seconds, p.kind = 'toll_free', s.received_in_id,
            CASE WHEN z.name IS NOT NULL THEN n.account_id END, {local_day_of("s.started_at", "z")},
            CASE WHEN z.name IS NOT NULL THEN %(now)s::timestamptz END
        FROM billing_setasidecall s JOIN accounts_phonenumber p ON p.number = s.number
        LEFT JOIN (accounts_numberassignment n JOIN accounts_account a ON a.id = n.account_id)
            ON n.number_id = p.id AND n.period @> s.started_at
        LEFT JOIN accounts_timezone z ON z.name = a.timezone
        WHERE s.id = %(key)s
        RETURNING id, account_id, day, is_toll_free
    ), {MARK_LATE}
    SELECT id FROM matched
"""  # noqa: S608 - our own text


def take_record(
    aside: SetAsideCall, *, by: User, reason: str, confirm_credited: bool = False, now: datetime | None = None
) -> CallRecord:
    """Void the records stored under the identity of a record that was set aside, take that one, and return it.

    Raises PermissionDenied without the permission to void, and AlreadyDone if the record was decided before or the same
    one is stored by now. Raises ValidationError if the reason is empty, if the number is unknown, if the call is in the
    future or in a final month, and with the code `credited` in the same case as `void_record`.
    """
    with recording_refusals(None, by, "take_record"):
        reason = required_reason(by, reason)
        take_turn()
        aside = still_open(SetAsideCall.objects.select_for_update().get(pk=aside.pk))
        stored = rows(STORED, {"key": aside.pk})
        if any(same for _, same in stored):
            raise AlreadyDone("This record is stored by now. Dismiss the one set aside.", code="already_stored")
        keys = [key for key, _ in stored]
        # Lock the accounts of both the new and the stored records, in the order of their keys.
        lock_accounts(HOLDERS.format(key=aside.pk, stored=", ".join(map(str, keys))))
        locking.checkpoint("after lock")
        if keys:
            void_keys(keys, by=by, reason=reason, confirmed=confirm_credited, now=now)
        moment = now or database_now()
        values = {"key": aside.pk, "now": moment, "open": first_open_day() or date.min}
        if code := column(WHY_NOT_TAKEN, values)[0]:
            raise ValidationError(REASONS[code], code=code)
        (key,) = column(TAKEN, values)
        aside.state, aside.record_id = SetAsideCall.State.TAKEN, key
        aside.decided_by, aside.decided_at, aside.note = by, moment, reason
        aside.save()
        return CallRecord.objects.get(pk=key)
