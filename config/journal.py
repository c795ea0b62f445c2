"""The setting JOURNAL_ACCOUNTS: the accounts on which `export_journal` books."""

from collections.abc import Mapping
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from config.environment import listed

LONGEST_CODE: Final = 40
# What the journal books, with the accounts on which it does so unless the setting says otherwise.
JOURNAL: Final = {
    "receivable": "1200",
    "product": "4000",
    "channel": "4010",
    "addon": "4020",
    "storage": "4030",
    "package": "4040",
    "usage": "4050",
    "credit_notes": "4900",
}


def codes(name: str, defaults: Mapping[str, str]) -> dict[str, str]:
    """Return the defaults, some of them replaced by the setting: pairs like `usage=4050`, separated by commas.

    Raises ImproperlyConfigured for a name without a default, or a code that is empty or too long.
    """
    found = dict(defaults)
    for pair in listed(name):
        key, _, code = (part.strip() for part in pair.partition("="))
        if key not in defaults or not 0 < len(code) <= LONGEST_CODE or not code.isprintable():
            raise ImproperlyConfigured(
                f"{name} must be pairs like usage=4050, separated by commas; the names are {', '.join(defaults)}."
            )
        found[key] = code
    return found


JOURNAL_ACCOUNTS = codes("JOURNAL_ACCOUNTS", JOURNAL)
