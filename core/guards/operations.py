"""The operations by which migrations bring guards into the database: `install`, `replace` and `remove`.

They take the text from the guard's one source, so an earlier migration brings today's text: on a new database it is in
force before the migration that replaced the earlier one, and replacing it by the same is harmless. CONTRIBUTING.md says
when a migration needs the earlier text.
"""

from django.db.migrations import RunSQL

from core.guards.definition import Function, Guard


class Replace(RunSQL):
    """Brings a guard to the text of its source; backwards to the one it had, if that is known."""

    def __init__(self, guard: Guard | Function, was: Guard | Function | None = None) -> None:
        self.guard, self.was = guard, was
        super().__init__(guard.sql(), was.sql() if was else RunSQL.noop)


def install(*guards: Guard) -> RunSQL:
    """Return the operation that makes guards which were not there."""
    return RunSQL([guard.sql() for guard in guards], [guard.drop_sql() for guard in reversed(guards)])


def replace(guard: Guard | Function, *, was: Guard | Function | None = None) -> Replace:
    """Return the operation that brings a guard, or a function that guards call, to the text of its source.

    `was` is the one it replaces: it is put back backwards, and while the database still holds it, the check says
    OUTDATED. Leave it out only if both mean the same.
    """
    return Replace(guard, was)


def remove(*guards: Guard) -> RunSQL:
    """Return the operation that takes guards away. Their definition moves to the migration that says so."""
    return RunSQL([guard.drop_sql() for guard in guards], [guard.sql() for guard in reversed(guards)])
