"""What became of a file's rows, in words, and whether that is a success: for the command and the admin alike."""

from enum import StrEnum

from billing.models import CallImport

FATES = (
    ("added", "added"),
    ("unmatched", "of them unmatched"),
    ("zero", "of 0 seconds"),
    ("repeated", "there already"),
    ("not_answered", "not answered"),
    ("not_a_call", "no call"),
    ("set_aside", "set aside"),
    ("voided", "voided"),
    ("rejected", "rejected"),
)
ALWAYS_TOLD = ("added", "unmatched", "repeated", "not_answered", "rejected")


class Outcome(StrEnum):
    """What an import came to. Only `added` is a success; `known` is no error, but adds nothing either."""

    ADDED = "added"
    PARTLY = "partly"
    KNOWN = "known"
    NOTHING = "nothing"


def outcome_of(received: CallImport) -> Outcome:
    """Return what an import came to."""
    open_rows = received.rejected + received.set_aside
    if received.added:
        return Outcome.PARTLY if open_rows else Outcome.ADDED
    known = received.repeated or received.voided
    return Outcome.KNOWN if known and not open_rows else Outcome.NOTHING


def fates_told(received: CallImport) -> str:
    """Return how many rows became what, adding up to the rows read: “2 added, 1 of them unmatched, 1 rejected”."""
    counts = [(fate, getattr(received, fate), told) for fate, told in FATES]
    return ", ".join(f"{count:,} {told}" for fate, count, told in counts if count or fate in ALWAYS_TOLD)


def nothing_told(received: CallImport) -> str:
    """Return in a sentence that nothing of a file was added, and where its rows went instead."""
    counts = [(getattr(received, fate), told) for fate, told in FATES]
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    return f"Nothing was added: {told}." if told else "Nothing was added: the file has no rows of calls."
