"""The differences between what is owed and what was invoiced, which the next invoice carries as adjustments."""

from datetime import date
from decimal import Decimal

from billing.inputs import inputs_of, tariffs
from billing.models import Invoice, LateMonth
from billing.pricing.charges import ADJUSTMENT, NotPriced, month_after


def open_differences(invoice: Invoice) -> dict[date, Decimal]:
    """Return the differences, in USD, of months on this invoice that have not been invoiced yet; none of 0.00.

    Empty if the account can't be priced, because then no invoice can carry a difference.
    """
    months = set(invoice.lines.values_list("month", flat=True))
    late = LateMonth.objects.filter(account=invoice.account_id, month__in=months, settled_at=None)
    late_months = set(late.values_list("month", flat=True))
    if not late_months:
        return {}
    following = month_after(max(months))
    inputs = inputs_of([invoice.account_id], following, tariffs()).get(invoice.account_id)
    found: dict[date, Decimal] = {}
    try:
        lines = inputs.to_invoice(following) if inputs else []
    except NotPriced:
        return {}
    for line in lines:
        if line.kind == ADJUSTMENT and line.month in late_months:
            found[line.month] = found.get(line.month, Decimal("0.00")) + line.amount
    return {month: amount for month, amount in found.items() if amount}
