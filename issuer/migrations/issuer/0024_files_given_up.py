"""Files of certificates that were given up are found by index, however many others there are."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

GIVEN_UP = sa.text("state = 'abandoned' AND file_key IS NOT NULL")


def upgrade() -> None:
    """Index them; no row changes."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    op.create_index(
        "ix_e_certificates_given_up",
        "e_certificates",
        ["id"],
        schema=place,
        sqlite_where=GIVEN_UP,
        postgresql_where=GIVEN_UP,
    )
