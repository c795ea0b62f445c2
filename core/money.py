"""Money in words: the only place that writes a dollar sign."""

from decimal import ROUND_HALF_UP, Decimal


def money(amount: Decimal) -> str:
    """Return USD as it is read: `$1,234.50`, `-$0.84`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,.2f}"


def rate(price: Decimal) -> str:
    """Return a price per minute with as many places as it has, two at least: `$0.045`."""
    places = max(2, -int(price.normalize().as_tuple().exponent))
    return f"${price:.{places}f}"


def cents(price: Decimal) -> str:
    """Return a price per minute in cents, to a hundredth of one: `3.6¢`."""
    return f"{(price * 100).quantize(Decimal('0.01'), ROUND_HALF_UP).normalize():f}¢"
