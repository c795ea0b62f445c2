"""Says what became of a file's rows, and whether the import was a success, for the command and the admin."""

from enum import StrEnum

from billing.models import CallImport, SetAsideCall

FATES = (
    ("added", "added"),
    ("unmatched", "of them unmatched"),
    ("zero", "of 0 seconds"),
    ("repeated", "there already"),
    ("not_answered", "not answered"),
    ("not_a_call", "not a call"),
    ("set_aside", "set aside"),
    ("voided", "voided"),
    ("rejected", "rejected"),
)
ALWAYS_SHOWN = ("added", "unmatched", "repeated", "not_answered", "rejected")


class Outcome(StrEnum):
    """The result of an import. Only `added` is a success; `known` is not an error, but nothing was added."""

    ADDED = "added"
    PARTLY = "partly"
    KNOWN = "known"
    NOTHING = "nothing"


def outcome_of(received: CallImport) -> Outcome:
    """Return the result of an import."""
    open_rows = received.rejected + received.set_aside
    if received.added:
        return Outcome.PARTLY if open_rows else Outcome.ADDED
    known = received.repeated or received.voided
    return Outcome.KNOWN if known and not open_rows else Outcome.NOTHING


def fates_text(received: CallImport) -> str:
    """Return the number of rows by fate, and of rows read: “2 added, 1 rejected; 3 rows read”.

    Without those unmatched, which were added too, the counts add up to the rows read.
    """
    counts = [(fate, getattr(received, fate), told) for fate, told in FATES]
    told = ", ".join(f"{count:,} {told}" for fate, count, told in counts if count or fate in ALWAYS_SHOWN)
    return f"{told}; {received.rows_read:,} {'row' if received.rows_read == 1 else 'rows'} read"


def known_text(received: CallImport) -> str:
    """Return why an import without errors added nothing."""
    waits = ", or wait among the records set aside" if SetAsideCall.objects.open().exists() else ""
    return "all of its calls are there already" + waits + (", or were voided" if received.voided else "")


def nothing_text(received: CallImport) -> str:
    """Return a sentence that says that nothing was added, with the number of rows by fate."""
    counts = [(getattr(received, fate), told) for fate, told in FATES]
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    has_rows = received.rows_read > received.not_a_call
    return f"Nothing was added: {told}." if has_rows else "Nothing was added: the file has no rows of calls."
