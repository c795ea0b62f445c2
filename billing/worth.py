"""What the worklist shows of money: toll-free minutes so far, and what an account is worth a month once it is live."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, OuterRef, Subquery, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from accounts.models import Account
from billing.estimate import first_bills
from billing.models import CallRecord


def minutes_so_far(accounts: Collection[int]) -> dict[int, int]:
    """Return the toll-free minutes that the accounts with these keys ever used; without any, none. One query."""
    rows = CallRecord.objects.charged().filter(account__in=accounts).order_by().values("account")
    return dict(rows.annotate(total=Sum("minutes")).values_list("account", "total"))


def monthly_values(today: Mapping[Account, date]) -> dict[int, Decimal]:
    """Return what each account is charged for a whole month once it is live, USD by key; without what has no price.

    `today` is the day it is where each account is; what is told is the charge of the month after it. The queries do
    not depend on how many accounts there are.
    """
    bills = first_bills(list(today), {account.pk: day for account, day in today.items()})
    return {key: bill.monthly for key, bill in bills.items()}


def minutes_to_sort_by() -> Any:
    """Return the expression of `minutes_so_far`, for rows that have an `account_id`."""
    calls = CallRecord.objects.charged().filter(account=OuterRef("account_id")).order_by().values("account")
    return Coalesce(Subquery(calls.annotate(total=Sum("minutes")).values("total")), 0)


def value_to_sort_by() -> Any:
    """Return the expression of `monthly_values`, for rows of onboarding; -1 for what has no price, to sort it last.

    It says in SQL what `billing.charges` says, for open rows and a whole month alone: a test holds the two together.
    """
    return RawSQL(VALUE, (), output_field=DecimalField(max_digits=14, decimal_places=2))


# Prices that change the price; each with the day until which it is in effect. It depends on no account, so the planner
# reads it once and hashes it.
RATED = """
    SELECT item_id, monthly_price, effective_from AS first, lead(effective_from) OVER turns AS stop,
        row_number() OVER turns = 1 AS is_earliest
    FROM (
        SELECT item_id, monthly_price, effective_from,
            lag(monthly_price) OVER days IS DISTINCT FROM monthly_price AS turns
        FROM subscriptions_price WINDOW days AS (PARTITION BY item_id ORDER BY effective_from)
    ) each WHERE turns WINDOW turns AS (PARTITION BY item_id ORDER BY effective_from)
"""
VALUE = f"""
    (SELECT CASE WHEN bool_and(part.amount IS NOT NULL) THEN sum(part.amount) ELSE -1 END FROM (
        SELECT CASE
            WHEN i.charged_per = 'seat' AND h.seats IS NULL THEN 0
            WHEN r.first IS NULL OR r.is_earliest AND r.first > m.first THEN NULL
            ELSE round(
                r.monthly_price * (CASE WHEN i.charged_per = 'seat' THEN h.seats ELSE h.quantity END)
                * (least(r.stop, m.stop) - greatest(r.first, m.first)) / (m.stop - m.first), 2)
            END AS amount
        FROM (
            SELECT item_id, quantity, max(quantity) FILTER (WHERE slot = -1) OVER () AS seats
            FROM subscriptions_holding
            WHERE account_id = onboarding_onboarding.account_id AND superseded_by_id IS NULL AND upper_inf(period)
        ) h
        JOIN subscriptions_item i ON i.id = h.item_id
        CROSS JOIN (
            SELECT (begun + interval '1 month')::date AS first, (begun + interval '2 months')::date AS stop
            FROM (SELECT date_trunc('month', now() AT TIME ZONE a.timezone) AS begun FROM accounts_account a
                WHERE a.id = onboarding_onboarding.account_id) running
        ) m
        LEFT JOIN ({RATED}) r
            ON r.item_id = h.item_id AND r.first < m.stop AND (r.stop IS NULL OR r.stop > m.first)
    ) part)
"""  # noqa: S608 - only what stands above
