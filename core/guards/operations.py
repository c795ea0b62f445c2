"""The migration operations for guards: `install`, `replace` and `remove`.

They use the guard's only definition, so even an old migration installs today's text. On a new database, the later
migration that replaces it then replaces it with the same text, which is harmless. CONTRIBUTING.md says when a migration
needs the earlier text.
"""

from django.db.migrations import RunSQL

from core.guards.definition import Function, Guard


class Replace(RunSQL):
    """Replaces a guard with its current definition. When reversed, restores the earlier one if it is known."""

    def __init__(self, guard: Guard | Function, was: Guard | Function | None = None) -> None:
        self.guard, self.was = guard, was
        super().__init__(guard.sql(), was.sql() if was else RunSQL.noop)


def install(*guards: Guard) -> RunSQL:
    """Return the operation that creates new guards."""
    return RunSQL([guard.sql() for guard in guards], [guard.drop_sql() for guard in reversed(guards)])


def replace(guard: Guard | Function, *, was: Guard | Function | None = None) -> Replace:
    """Return the operation that replaces a guard, or a function that guards call, with its current definition.

    `was` is the earlier definition. It is restored when the migration is reversed, and as long as the database still
    has it, the check reports OUTDATED. Leave it out only if both definitions mean the same.
    """
    return Replace(guard, was)


def remove(*guards: Guard) -> RunSQL:
    """Return the operation that drops guards. Move their definitions into the migration that uses it."""
    return RunSQL([guard.drop_sql() for guard in guards], [guard.sql() for guard in reversed(guards)])
