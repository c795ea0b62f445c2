"""`migrate`, as Django has it, except that its own check passes over what the migrations that wait will bring."""

from typing import Any

from django.core.management.commands import migrate

from core.guards.checking import migrating


class Command(migrate.Command):
    def check(self, *args: Any, **options: Any) -> None:
        with migrating():
            super().check(*args, **options)
