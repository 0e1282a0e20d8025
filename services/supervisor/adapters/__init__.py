"""Topics, Postgres and HTTP."""
