"""Paper certificates: forms, sheets, mail, safekeeping, handover (R11–R14)."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    # ALTER TABLE knows no translated schema, and a SQLite file has none.
    schema = "issuer" if op.get_bind().dialect.name == "postgresql" else None
    op.add_column("holdings", sa.Column("paper_made_at", sa.DateTime(timezone=True), nullable=True), schema=schema)
    for name, kind in (
        ("kind", sa.String(length=12)),
        ("approved_by", sa.String(length=80)),
        ("approved_at", sa.DateTime(timezone=True)),
        ("decision_note", sa.LargeBinary()),
        ("new_paper_id", sa.Integer()),
    ):
        op.add_column("paper_replacement_requests", sa.Column(name, kind, nullable=True), schema=schema)

    op.create_table(
        "paper_receipts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_code", sa.String(length=32), nullable=False),
        sa.Column("prefix", sa.String(length=40), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("counted_by", sa.String(length=80), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.String(length=80), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state <> 'confirmed' OR (confirmed_by IS NOT NULL AND confirmed_by <> counted_by)",
            name=op.f("ck_paper_receipts_two_people"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_code"], ["issuer.programmes.code"], name="fk_paper_receipts_programme_code"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_paper_receipts"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_paper_receipts_programme_code", "paper_receipts", ["programme_code"], unique=False, schema="issuer"
    )
    op.create_table(
        "paper_blanks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_code", sa.String(length=32), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_code"], ["issuer.programmes.code"], name="fk_paper_blanks_programme_code"
        ),
        sa.ForeignKeyConstraint(["receipt_id"], ["issuer.paper_receipts.id"], name="fk_paper_blanks_receipt_id"),
        sa.PrimaryKeyConstraint("id", name="pk_paper_blanks"),
        sa.UniqueConstraint("serial", name="uq_paper_blanks_serial"),
        schema="issuer",
    )
    op.create_index(
        "ix_paper_blanks_stock", "paper_blanks", ["programme_code", "state", "serial"], unique=False, schema="issuer"
    )
    op.create_table(
        "paper_certificates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("qualification", sa.String(length=255), nullable=False),
        sa.Column("management_no", sa.String(length=40), nullable=False),
        sa.Column("blank_id", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("slot", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=True),
        sa.Column("register_id", sa.Integer(), nullable=True),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("printed_by", sa.String(length=80), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["blank_id"], ["issuer.paper_blanks.id"], name="fk_paper_certificates_blank_id"),
        sa.ForeignKeyConstraint(["person_id"], ["issuer.persons.id"], name="fk_paper_certificates_person_id"),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_paper_certificates_registration_id"
        ),
        sa.ForeignKeyConstraint(
            ["sitting_code"], ["issuer.sittings.code"], name="fk_paper_certificates_sitting_code"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_paper_certificates"),
        sa.UniqueConstraint("blank_id", name="uq_paper_certificates_blank_id"),
        sa.UniqueConstraint("serial", name="uq_paper_certificates_serial"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_paper_certificates_management_no",
        "paper_certificates",
        ["management_no"],
        unique=False,
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_paper_certificates_registration_id",
        "paper_certificates",
        ["registration_id"],
        unique=False,
        schema="issuer",
    )
    op.create_index(
        "ix_paper_certificates_work",
        "paper_certificates",
        ["sitting_code", "state", "id"],
        unique=False,
        schema="issuer",
    )
    op.create_index(
        "uq_paper_certificates_live",
        "paper_certificates",
        ["person_id", "qualification"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("slot = 'live'"),
        postgresql_where=sa.text("slot = 'live'"),
    )
    op.create_index(
        "uq_paper_certificates_number",
        "paper_certificates",
        ["management_no"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("slot = 'live'"),
        postgresql_where=sa.text("slot = 'live'"),
    )
    op.create_table(
        "paper_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("place", sa.String(length=16), nullable=False),
        sa.Column("clause", sa.String(length=8), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["issuer.paper_certificates.id"], name="fk_paper_events_paper_id"),
        sa.PrimaryKeyConstraint("id", name="pk_paper_events"),
        sa.UniqueConstraint("paper_id", "version", name="uq_paper_events_paper_id_version"),
        schema="issuer",
    )
    op.create_table(
        "paper_booking_windows",
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.String(length=80), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sitting_code"], ["issuer.sittings.code"], name="fk_paper_booking_windows_sitting_code"
        ),
        sa.PrimaryKeyConstraint("sitting_code", name="pk_paper_booking_windows"),
        schema="issuer",
    )
    op.create_table(
        "mail_bookings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("freight", sa.String(length=12), nullable=False),
        sa.Column("booked_by", sa.String(length=80), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["issuer.paper_certificates.id"], name="fk_mail_bookings_paper_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mail_bookings"),
        schema="issuer",
    )
    op.create_index("ix_issuer_mail_bookings_paper_id", "mail_bookings", ["paper_id"], unique=False, schema="issuer")
    op.create_index(
        "uq_mail_bookings_open",
        "mail_bookings",
        ["paper_id"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "parcels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("waybill", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("labelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("packed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["booking_id"], ["issuer.mail_bookings.id"], name="fk_parcels_booking_id"),
        sa.ForeignKeyConstraint(["paper_id"], ["issuer.paper_certificates.id"], name="fk_parcels_paper_id"),
        sa.PrimaryKeyConstraint("id", name="pk_parcels"),
        sa.UniqueConstraint("waybill", name="uq_parcels_waybill"),
        schema="issuer",
    )
    op.create_index("ix_issuer_parcels_booking_id", "parcels", ["booking_id"], unique=False, schema="issuer")
    op.create_index("ix_issuer_parcels_paper_id", "parcels", ["paper_id"], unique=False, schema="issuer")
    op.create_index(
        "uq_parcels_under_way",
        "parcels",
        ["booking_id"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("state IN ('labelled', 'packed', 'posted')"),
        postgresql_where=sa.text("state IN ('labelled', 'packed', 'posted')"),
    )
    op.create_table(
        "paper_handouts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("receiver", sa.String(length=8), nullable=False),
        sa.Column("proof", sa.String(length=12), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("agent_name", sa.LargeBinary(), nullable=True),
        sa.Column("agent_id_no", sa.LargeBinary(), nullable=True),
        sa.Column("letter", sa.LargeBinary(), nullable=True),
        sa.Column("handed_by", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["issuer.paper_certificates.id"], name="fk_paper_handouts_paper_id"),
        sa.PrimaryKeyConstraint("id", name="pk_paper_handouts"),
        sa.UniqueConstraint("paper_id", name="uq_paper_handouts_paper_id"),
        schema="issuer",
    )
    op.create_table(
        "paper_pickup_codes",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("code_index", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["issuer.paper_certificates.id"], name="fk_paper_pickup_codes_paper_id"
        ),
        sa.PrimaryKeyConstraint("paper_id", name="pk_paper_pickup_codes"),
        schema="issuer",
    )
    op.create_table(
        "safekeeping_boxes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("opened_by", sa.String(length=80), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_safekeeping_boxes_sitting_code"),
        sa.PrimaryKeyConstraint("id", name="pk_safekeeping_boxes"),
        sa.UniqueConstraint("label", name="uq_safekeeping_boxes_label"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_safekeeping_boxes_sitting_code",
        "safekeeping_boxes",
        ["sitting_code"],
        unique=False,
        schema="issuer",
    )
    op.create_table(
        "handover_registers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.String(length=80), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_by", sa.String(length=80), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("countersigned_by", sa.String(length=80), nullable=True),
        sa.Column("countersigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("boxes", sa.JSON(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=True),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.Column("xlsx", sa.LargeBinary(), nullable=True),
        sa.Column("xlsx_sha256", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "state <> 'handed-over' OR (countersigned_by IS NOT NULL AND countersigned_by <> counted_by)",
            name=op.f("ck_handover_registers_two_people"),
        ),
        sa.ForeignKeyConstraint(
            ["sitting_code"], ["issuer.sittings.code"], name="fk_handover_registers_sitting_code"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_handover_registers"),
        sa.UniqueConstraint("number", name="uq_handover_registers_number"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_handover_registers_sitting_code",
        "handover_registers",
        ["sitting_code"],
        unique=False,
        schema="issuer",
    )
    op.create_index(
        "uq_handover_registers_open",
        "handover_registers",
        ["sitting_code"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("state IN ('open', 'counted')"),
        postgresql_where=sa.text("state IN ('open', 'counted')"),
    )
    op.create_table(
        "handover_items",
        sa.Column("register_id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("scanned_by", sa.String(length=80), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["issuer.safekeeping_boxes.id"], name="fk_handover_items_box_id"),
        sa.ForeignKeyConstraint(["paper_id"], ["issuer.paper_certificates.id"], name="fk_handover_items_paper_id"),
        sa.ForeignKeyConstraint(
            ["register_id"], ["issuer.handover_registers.id"], name="fk_handover_items_register_id"
        ),
        sa.PrimaryKeyConstraint("register_id", "paper_id", name="pk_handover_items"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_handover_items_paper_id", "handover_items", ["paper_id"], unique=False, schema="issuer"
    )
