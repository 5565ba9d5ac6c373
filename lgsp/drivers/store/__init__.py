"""The record: SQLite or PostgreSQL by SQLAlchemy, and below it for the few statements that every exchange waits for."""

from lgsp.drivers.store.engine import Store, migrate, open_store

__all__ = ["Store", "migrate", "open_store"]
