"""How the tables of one revision become those of the next. Alembic loads these files by path."""
