"""The job engine's own schema `jobs` (PostgreSQL only), and an index over seals whose outcome is not written yet.

The engine is procrastinate; its tables, types and functions are those of the release that pyproject.toml allows.
A newer release needs a revision that runs that release's own migrations.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPEN = sa.text("outcome = 'intent'")


def upgrade() -> None:
    """Make them."""
    op.create_index(
        "ix_seal_intents_open",
        "seal_intents",
        ["certificate_id"],
        unique=False,
        schema="issuer",
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS jobs")
    if connection.exec_driver_sql("SELECT to_regclass('jobs.procrastinate_jobs')").scalar() is not None:
        return
    from procrastinate.schema import SchemaManager

    connection.exec_driver_sql("SET LOCAL search_path TO jobs")
    # Straight to the driver, and without parameters: many statements at once, and per cents that mean themselves.
    driver = connection.connection.driver_connection
    assert driver is not None, "a connection in use has its driver's"
    driver.execute(SchemaManager.get_schema())
    connection.exec_driver_sql("SET LOCAL search_path TO DEFAULT")
