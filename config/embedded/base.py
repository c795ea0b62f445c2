"""Django's PostgreSQL backend on the embedded server, which starts when the first connection is opened."""

from typing import Any

from config.database import embedded_server_address
from config.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the embedded server; a command that needs no database starts none."""

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), **embedded_server_address()}
