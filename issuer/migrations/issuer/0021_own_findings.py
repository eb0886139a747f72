"""What one account found in reviews, newest first, so that a slip can be found and taken back."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index it."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    op.create_index("ix_review_events_actor", "review_events", ["actor", "id"], schema=place)
