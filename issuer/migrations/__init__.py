"""Alembic, one environment for both schemas: `issuer/` and `public_record/` hold the revisions of each.

The two histories are apart because on SQLite the schemas are two files, and because in production they may
be two databases with different owners. Each keeps its own `alembic_version` table, inside its schema.
"""
