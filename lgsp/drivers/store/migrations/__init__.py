"""The history of the schema (alembic)."""
