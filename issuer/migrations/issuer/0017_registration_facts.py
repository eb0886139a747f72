"""Commitment texts and acceptances, declared facts, comparisons with registers, materials (R2, R3, R15)."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STANDING = sa.text("withdrawn_at IS NULL")
CURRENT = sa.text("superseded_by IS NULL")


def upgrade() -> None:
    """Make them; nobody has any yet, and programmes ask for none until their policy says so."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    _commitments(place)
    _comparisons(place)
    _materials(place)


def _to(place: str | None, table: str) -> str:
    return f"{place}.{table}" if place else table


def _refers(place: str | None, table: str, column: str, to: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{_to(place, to)}.{key}"], name=op.f(f"fk_{table}_{column}"))


def _commitments(place: str | None) -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "commitment_texts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_code", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.Column("published_at", instant, nullable=False),
        _refers(place, "commitment_texts", "programme_code", "programmes", "code"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment_texts")),
        sa.UniqueConstraint("programme_code", "version", name=op.f("uq_commitment_texts_programme_code_version")),
        sa.UniqueConstraint(
            "programme_code", "in_force_from", name=op.f("uq_commitment_texts_programme_code_in_force_from")
        ),
        schema=place,
    )
    op.create_table(
        "commitment_acceptances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("accepted_at", instant, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.Column("recorded_at", instant, nullable=False),
        sa.Column("withdrawn_at", instant, nullable=True),
        sa.Column("withdrawn_by", sa.String(length=80), nullable=True),
        _refers(place, "commitment_acceptances", "registration_id", "registrations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment_acceptances")),
        schema=place,
    )
    op.create_index(
        "ix_commitment_acceptances_registration", "commitment_acceptances", ["registration_id"], schema=place
    )
    op.create_index(
        "uq_commitment_acceptances_standing",
        "commitment_acceptances",
        ["registration_id"],
        unique=True,
        schema=place,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    op.create_table(
        "declared_facts",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=16), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("fact", sa.String(length=64), nullable=False),
        sa.Column("declared_at", instant, nullable=False),
        _refers(place, "declared_facts", "registration_id", "registrations"),
        sa.PrimaryKeyConstraint("registration_id", "item", name=op.f("pk_declared_facts")),
        schema=place,
    )
    op.create_index("ix_declared_facts_fact", "declared_facts", ["fact"], schema=place)


def _comparisons(place: str | None) -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "comparison_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("source_version", sa.String(length=80), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("compared_at", instant, nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        _refers(place, "comparison_runs", "sitting_code", "sittings", "code"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison_runs")),
        schema=place,
    )
    op.create_index(op.f("ix_issuer_comparison_runs_sitting_code"), "comparison_runs", ["sitting_code"], schema=place)
    op.create_table(
        "comparison_results",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("found", sa.LargeBinary(), nullable=True),
        sa.Column("found_index", sa.String(length=64), nullable=False),
        sa.Column("fact", sa.String(length=64), nullable=False),
        sa.Column("compared_at", instant, nullable=False),
        sa.Column("superseded_by", sa.Integer(), nullable=True),
        _refers(place, "comparison_results", "run_id", "comparison_runs"),
        _refers(place, "comparison_results", "registration_id", "registrations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison_results")),
        schema=place,
    )
    op.create_index(op.f("ix_issuer_comparison_results_run_id"), "comparison_results", ["run_id"], schema=place)
    op.create_index("ix_comparison_results_fact", "comparison_results", ["fact"], schema=place)
    op.create_index(
        "uq_comparison_results_current",
        "comparison_results",
        ["registration_id", "item", "source"],
        unique=True,
        schema=place,
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )


def _materials(place: str | None) -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "materials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("file_key", sa.String(length=120), nullable=False),
        sa.Column("file_name", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("given_at", instant, nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", instant, nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        _refers(place, "materials", "person_id", "persons"),
        _refers(place, "materials", "registration_id", "registrations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_materials")),
        schema=place,
    )
    op.create_index(op.f("ix_issuer_materials_person_id"), "materials", ["person_id"], schema=place)
    op.create_index("ix_materials_registration", "materials", ["registration_id", "state"], schema=place)
    op.create_table(
        "material_proofs",
        sa.Column("material_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=16), nullable=False),
        sa.Column("fact", sa.String(length=64), nullable=False),
        _refers(place, "material_proofs", "material_id", "materials"),
        sa.PrimaryKeyConstraint("material_id", "item", name=op.f("pk_material_proofs")),
        schema=place,
    )
    op.create_index("ix_material_proofs_fact", "material_proofs", ["fact"], schema=place)
