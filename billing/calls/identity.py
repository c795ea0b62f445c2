"""When two rows are one record of a call, in SQL (billing-policy.md, 17).

A record is identified by its call id and leg. If one of two records has no leg of its own, their starts are compared
instead: they are one record if both started at the same instant. A leg that was made from the start, as for Asterisk's
records, is not a leg of its own.
"""

START_LEG = """to_char({row}.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def start_leg(row: str) -> str:
    """Return the expression of the leg that is made from a row's start."""
    return START_LEG.format(row=row)


def is_plain(row: str) -> str:
    """Return the condition that a row has no leg of its own."""
    return f"({row}.leg = '' OR {row}.leg = {start_leg(row)})"


def same_identity(one: str, other: str) -> str:
    """Return the condition that two rows with the same call id are one record."""
    return (
        f"({one}.leg = {other}.leg OR ({one}.started_at = {other}.started_at "
        f"AND ({is_plain(one)} OR {is_plain(other)})))"
    )


def same_content(one: str, other: str) -> str:
    """Return the condition that two rows have the same content, of which the caller is no part."""
    columns = ("number", "started_at", "seconds")
    return "(" + " AND ".join(f"{one}.{column} = {other}.{column}" for column in columns) + ")"


STANDING = "NOT {row}.is_voided AND {row}.seconds > 0"  # the condition of the unique index of identities


def in_effect(row: str) -> str:
    """Return the condition that a stored record claims its identity."""
    return STANDING.format(row=row)


def of_one_call(table: str, one: str, other: str, condition: str) -> str:
    """Return a query for the rows of `table`, as `other`, that may be the same record as the row `one`.

    For a row with a leg of its own, the index finds them by their legs; otherwise all records of the call are read.
    """
    select = f"SELECT {other}.* FROM {table} {other} WHERE {condition} AND {other}.call_id = {one}.call_id"  # noqa: S608
    return (
        f"{select} AND NOT {is_plain(one)} AND {other}.leg IN ({one}.leg, '', {start_leg(one)}) "
        f"UNION ALL {select} AND {is_plain(one)}"
    )
