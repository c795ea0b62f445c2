"""Django's PostgreSQL backend with the embedded server, which starts when the first connection is opened."""

from typing import Any

from config.database import embedded_server_address
from config.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the embedded server. A command that needs no database doesn't start it."""

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), **embedded_server_address()}
