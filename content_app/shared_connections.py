"""The connection to the database, which the threads of a web process may have to share."""

from django.db import connection


def lend_connection() -> None:
    """Before something that takes long and needs no database: where there is a pool, others may use it meanwhile."""
    if not connection.in_atomic_block and connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()
