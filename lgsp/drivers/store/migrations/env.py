"""Where alembic finds the connection: `migrate` hands it over; there is no ini file and nothing is printed."""

from __future__ import annotations

from alembic import context

from lgsp.drivers.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
