"""How Alembic runs: on the connection that `services.directory.migrations` hands it."""

from alembic import context

import services.supervisor.model  # noqa: F401 - its tables are among those that are migrated
from services.directory.model import SCHEMA, Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=lambda name, kind, _: kind != "schema" or name == SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
