"""Arithmetic with whole numbers."""


def ceil_div(number: int, by: int) -> int:
    """Return `number / by`, rounded up to a whole number."""
    return -(-number // by)
