"""Data keys and their rotation, erasures, stock-takes."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them; the one key there is stays in use."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    prefix = "" if place is None else "issuer."
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "data_keys",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", instant, nullable=True),
        sa.Column("made_by", sa.String(length=80), nullable=True),
        sa.Column("retired_at", instant, nullable=True),
        sa.Column("retired_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_data_keys")),
        schema=place,
    )
    op.create_table(
        "data_key_use",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value_key", sa.Integer(), nullable=False),
        sa.Column("index_key", sa.Integer(), nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_key_use")),
        schema=place,
    )
    op.create_table(
        "data_key_moves",
        sa.Column("table_name", sa.String(length=63), nullable=False),
        sa.Column("value_key", sa.Integer(), nullable=False),
        sa.Column("index_key", sa.Integer(), nullable=False),
        sa.Column("place", sa.JSON(), nullable=True),
        sa.Column("moved", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name=op.f("pk_data_key_moves")),
        schema=place,
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("proposed_at", instant, nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", instant, nullable=True),
        sa.Column("decision_note", sa.LargeBinary(), nullable=True),
        sa.Column("cells", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state <> 'done' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name=op.f("ck_erasures_two_people"),
        ),
        sa.ForeignKeyConstraint(["person_id"], [f"{prefix}persons.id"], name=op.f("fk_erasures_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        schema=place,
    )
    op.create_index("ix_erasures_person", "erasures", ["person_id", "id"], schema=place)
    _partial("uq_erasures_open", "erasures", ["person_id"], "state = 'proposed'", place)
    op.create_table(
        "stock_takes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", instant, nullable=False),
        sa.Column("finished_at", instant, nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("examined", sa.Integer(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_takes")),
        schema=place,
    )
    takes = f"{prefix}stock_takes.id"
    op.create_table(
        "stock_findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("first_take", sa.Integer(), nullable=False),
        sa.Column("last_take", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", instant, nullable=False),
        sa.Column("settled_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["first_take"], [takes], name=op.f("fk_stock_findings_first_take")),
        sa.ForeignKeyConstraint(["last_take"], [takes], name=op.f("fk_stock_findings_last_take")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_findings")),
        schema=place,
    )
    op.create_index(op.f("ix_issuer_stock_findings_last_take"), "stock_findings", ["last_take"], schema=place)
    _partial("uq_stock_findings", "stock_findings", ["kind", "subject"], "settled_at IS NULL", place)


def _partial(name: str, table: str, columns: list[str], where: str, place: str | None) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, unique=True, schema=place, sqlite_where=condition, postgresql_where=condition
    )
