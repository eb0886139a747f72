"""Indexes for the lists and counts of a large office: open work, what fell, cases by state, acts and accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_OPEN = sa.text("outcome IN ('awaiting', 'conditions-pending', 'defence-open')")
_FELL = sa.text("void_since IS NOT NULL")
_UNRESOLVED = sa.text("resolved_at IS NULL")
_UNDECIDED = sa.text("decided_at IS NULL")


def upgrade() -> None:
    """Make them; no row changes."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"

    def index(name: str, table: str, columns: list[str], where: sa.TextClause | None = None) -> None:
        op.create_index(name, table, columns, schema=place, sqlite_where=where, postgresql_where=where)

    counts = ["sitting_code", "round", "outcome"]
    index("ix_eligibility_reviews_counts", "eligibility_reviews", counts)
    index("ix_eligibility_reviews_open", "eligibility_reviews", ["outcome", "round", "registration_id"], _OPEN)
    index("ix_objections_open", "objections", ["id"], _UNRESOLVED)
    index("ix_defence_statements_open", "defence_statements", ["registration_id"], _UNDECIDED)
    index("ix_registrations_void", "registrations", ["id"], _FELL)
    index("ix_invalidations_state", "invalidations", ["state", "id"])
    index("ix_audit_events_actor", "audit_events", ["actor", "sequence"])
    op.create_index(
        "ix_audit_events_act",
        "audit_events",
        ["act", "sequence"],
        schema=place,
        postgresql_ops={"act": "text_pattern_ops"},
    )
