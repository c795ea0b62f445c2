"""The guards of the outbox: an email that was sent or dropped never changes, and no email is lost."""

from core.guards.definition import Guard
from core.guards.forms import kept

# An email that was given up may be requeued, since it was never sent. The address is updated when the email is sent,
# since a user's address may change while the email waits.
EMAIL_IS_FINAL = Guard(
    "outgoing_email_is_final",
    "core_outgoingemail",
    "UPDATE",
    """
    IF (NEW.id, NEW.kind, NEW.data, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.data, OLD.created_at) THEN
        REFUSE;
    END IF;
    IF NEW.address IS DISTINCT FROM OLD.address AND NEW.state <> 'sent' THEN
        REFUSE;
    END IF;
    IF OLD.state IN ('sent', 'dropped') AND NEW IS DISTINCT FROM OLD THEN
        REFUSE;
    END IF;
    """,
    "What an email says and to whom never changes, nor does an email that was sent or dropped.",
)
EMAIL_IS_NEVER_DELETED = Guard(
    "outgoing_email_is_never_deleted",
    "core_outgoingemail",
    "DELETE",
    "REFUSE;",
    "An email of the outbox is never deleted.",
)
GUARDS: list[Guard] = [
    EMAIL_IS_FINAL,
    EMAIL_IS_NEVER_DELETED,
    kept("core_outgoingemail", "The outbox is never emptied."),
]
