"""Finds out which accounts were not billed for which month (R42), exactly, and in few queries for any number of them.

An account is due a bill for each month that has ended in its time zone, from the month in which it got Contact Center.
A month is not forgotten if its bill is on hold or was rejected: that bill waits for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Min

from accounts.models import Account
from billing.models import UnbilledMonth
from billing.months import Ended, UnknownZone, ended, months_until
from core.locks import AdvisoryLock, wait_for
from onboarding.models import Onboarding


@dataclass
class Unbilled:
    """The keys of accounts whose month is to be billed, in order; and for those that can't be, reasons by account."""

    keys: list[int] = field(default_factory=list)
    set_aside: dict[int, str] = field(default_factory=dict)


def unbilled(
    month: date,
    *,
    now: datetime,
    days_after: int = 0,
    only: Sequence[int] | None = None,
    rejected: bool = True,
) -> Unbilled:
    """Return the accounts whose month ended `days_after` days before `now` or earlier, and is not billed or on hold.

    `only` narrows the search to accounts with these keys. With `rejected`, accounts whose bill was rejected are
    included. An account in an unknown time zone is set aside once the month has ended everywhere.
    """
    over = ended([month], zones_in_use(), now=now, days_after=days_after)
    found = Unbilled()
    parameters = {
        **_columns(over),
        "month": month,
        "unknown": list(over.unknown),
        "everyone": only is None,
        "only": list(only or ()),
        "states": ["held"] if rejected else ["held", "rejected"],
    }
    for zone, keys in _rows(UNBILLED, parameters):
        if zone is None:
            found.keys = keys
        else:
            found.set_aside |= dict.fromkeys(keys, str(UnknownZone(zone)))
    return found


# One row has all accounts in known time zones, as a list that the server sorts; each unknown zone has a row of its own.
UNBILLED = """
    SELECT CASE WHEN a.timezone = ANY(%(unknown)s) THEN a.timezone END, array_agg(o.account_id ORDER BY o.account_id)
    FROM onboarding_onboarding o
    JOIN accounts_account a ON a.id = o.account_id
    JOIN unnest(%(zones)s::text[], %(ends)s::date[]) over (zone, ends_on)
        ON over.zone = a.timezone AND o.started_on < over.ends_on
    WHERE (%(everyone)s OR o.account_id = ANY(%(only)s))
        AND NOT EXISTS (
            SELECT FROM billing_billedmonth b WHERE b.account_id = o.account_id AND b.month = %(month)s)
        AND NOT EXISTS (
            SELECT FROM billing_heldbill h
            WHERE h.account_id = o.account_id AND h.month = %(month)s AND h.state = ANY(%(states)s))
    GROUP BY 1
"""


def unbilled_months(now: datetime, *, days_after: int) -> dict[date, int]:
    """Return the number of accounts that were not billed by month, the oldest first.

    These are months that ended `days_after` days ago or earlier, without those for which all accounts were billed.
    Accounts with a bill on hold, or a rejected one, do not count. Three queries.
    """
    over = ended(months_owed(now), zones_in_use(), now=now, days_after=days_after)
    return dict(_rows(MONTHS, {**_columns(over), "months": over.months}))


# An account's months are those of its zone, except the first ones, which ended before it got Contact Center. If it has
# as many billed months, none is missing: that is so for nearly all accounts, and takes only a look at one index.
MONTHS = """
    WITH over AS (
        SELECT zone, array_agg(month ORDER BY month) AS months, array_agg(ends_on ORDER BY month) AS ends
        FROM unnest(%(zones)s::text[], %(months)s::date[], %(ends)s::date[]) one (zone, month, ends_on)
        GROUP BY zone
    ), owing AS (
        SELECT o.account_id, over.months[width_bucket(o.started_on, over.ends) + 1 :] AS months
        FROM onboarding_onboarding o
        JOIN accounts_account a ON a.id = o.account_id
        JOIN over ON over.zone = a.timezone
    ), behind AS MATERIALIZED (
        SELECT account_id, months FROM owing WHERE cardinality(months) > (
            SELECT count(*) FROM billing_billedmonth b
            WHERE b.account_id = owing.account_id AND b.month BETWEEN months[1] AND months[cardinality(months)])
    )
    SELECT left_over.month, count(*) FROM behind CROSS JOIN LATERAL (
        SELECT unnest(behind.months) AS month
        EXCEPT SELECT b.month FROM billing_billedmonth b WHERE b.account_id = behind.account_id
        EXCEPT SELECT h.month FROM billing_heldbill h
        WHERE h.account_id = behind.account_id AND h.state IN ('held', 'rejected')
    ) left_over GROUP BY left_over.month ORDER BY left_over.month
"""


def months_owed(now: datetime) -> list[date]:
    """Return each month that has ended somewhere since the first account got Contact Center, in order."""
    since = Onboarding.objects.order_by().aggregate(first=Min("started_on"))["first"]
    return list(months_until(now, since=since)) if since else []


def zones_in_use() -> list[str]:
    """Return the names of the accounts' time zones, each once, whether they are known or not."""
    return list(Account.objects.order_by().values_list("timezone", flat=True).distinct())


def count_unbilled(now: datetime, *, days_after: int, month: date | None = None) -> dict[date, int]:
    """Store the counts of `unbilled_months` for the dashboard, the metrics and the system check, and return them.

    With a `month`, only that month is counted, which is quick however many months were billed before.
    """
    with transaction.atomic():
        wait_for(AdvisoryLock.UNBILLED_COUNTS)
        if month is None:
            counted = unbilled_months(now, days_after=days_after)
            gone = UnbilledMonth.objects.exclude(month__in=counted)
        else:
            found = unbilled(month, now=now, days_after=days_after, rejected=False)
            accounts = len(found.keys) + len(found.set_aside)
            counted = {month: accounts} if accounts else {}
            gone = UnbilledMonth.objects.filter(month=month).exclude(month__in=counted)
        gone.delete()
        UnbilledMonth.objects.bulk_create(
            [UnbilledMonth(month=month, accounts=accounts, counted_at=now) for month, accounts in counted.items()],
            update_conflicts=True,
            unique_fields=["month"],
            update_fields=["accounts", "counted_at"],
        )
    return counted


def _columns(over: Ended) -> dict[str, Any]:
    return {"zones": over.zones, "ends": over.ends}


def _rows(query: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        fetched: list[tuple[Any, ...]] = cursor.fetchall()
        return fetched
