"""The setting JOURNAL_ACCOUNTS: the accounts on which `export_journal` books."""

import re
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from config.environment import listed

PAIR: Final = re.compile(r"([a-z_]+) *= *([!-~]{1,40})")
# What the journal books, with the accounts on which it does so unless the setting says otherwise. The setting may give
# a kind of items an account of its own; kinds are not known here, so `billing.checks` looks at the names.
JOURNAL: Final = {"receivable": "1200", "revenue": "4000", "usage": "4050", "credit_notes": "4900"}


def codes(name: str) -> dict[str, str]:
    """Return the accounts, some of them from the setting: pairs like `usage=4060`, separated by commas.

    Raises ImproperlyConfigured for anything else.
    """
    found = dict(JOURNAL)
    for text in listed(name):
        pair = PAIR.fullmatch(text)
        if pair is None:
            raise ImproperlyConfigured(f"{name} must be pairs like usage=4060,storage=4030, separated by commas.")
        found[pair[1]] = pair[2]
    return found


JOURNAL_ACCOUNTS = codes("JOURNAL_ACCOUNTS")
