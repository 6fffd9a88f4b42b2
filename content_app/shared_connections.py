"""Hands the database connection back to the pool that the threads of a web process share."""

from django.db import connection


def lend_connection() -> None:
    """Call before slow work that needs no database: where there is a pool, another thread may use the connection."""
    if not connection.in_atomic_block and connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()
