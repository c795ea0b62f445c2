"""Amounts of money as text. No other code formats dollars."""

from decimal import ROUND_HALF_UP, Decimal


def money(amount: Decimal) -> str:
    """Return an amount in USD, like `$1,234.50` or `-$0.84`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,.2f}"


def rate(price: Decimal) -> str:
    """Return a price per minute in USD with all its decimal places, at least two, like `$0.045`."""
    places = max(2, -int(price.normalize().as_tuple().exponent))
    return f"${price:.{places}f}"


def cents(price: Decimal) -> str:
    """Return a price per minute (in USD) in cents, rounded to a hundredth of a cent, like `3.6¢`."""
    return f"{(price * 100).quantize(Decimal('0.01'), ROUND_HALF_UP).normalize():f}¢"
