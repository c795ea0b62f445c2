"""What months owe now beside what was invoiced of them: the adjustments that the next invoice carries."""

from datetime import date
from decimal import Decimal

from billing.inputs import inputs_of, tariffs
from billing.models import Invoice, LateMonth
from billing.pricing.charges import ADJUSTMENT, NotPriced, month_after


def open_differences(invoice: Invoice) -> dict[date, Decimal]:
    """Return the difference of each month on an invoice that no invoice carries yet, USD; none of 0.00.

    Months that can't be priced are left out: no invoice can carry them either.
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
