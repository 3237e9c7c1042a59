"""What Alembic runs first: the connection and its transaction come from `store.migrate`."""

from alembic import context

from bursar.store.tables import METADATA, SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=SCHEMA.name,
    render_as_batch=True,  # SQLite cannot alter a table: Alembic copies it
)
with context.begin_transaction():
    context.run_migrations()
