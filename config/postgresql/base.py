"""Django's PostgreSQL backend at READ COMMITTED, which the locking protocol needs: lock, then look (I27).

Each transaction sets the level when it begins, so it is right behind a pooler too. A connection with another level for
statements outside a transaction is refused, and the guards refuse any write of such a statement.
"""

from django.db.backends.postgresql import base
from django.db.utils import OperationalError

from core.session import ISOLATION


class DatabaseWrapper(base.DatabaseWrapper):
    """Raises OperationalError for a connection whose isolation level is not READ COMMITTED."""

    def init_connection_state(self) -> None:
        super().init_connection_state()
        with self.connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            (level,) = cursor.fetchone()
        if level != ISOLATION:
            raise OperationalError(
                f"the server answers at the isolation level {level!r}, and this product works at {ISOLATION!r} only: "
                "run ALTER ROLE … SET default_transaction_isolation = 'read committed', or let the pooler pass options "
                "on"
            )
