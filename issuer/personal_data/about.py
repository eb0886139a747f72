"""Everything the databases hold about one person, found by following the foreign keys from the person down."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, or_, select
from sqlalchemy.orm import Session

from issuer.personal_data.tables import all_tables
from issuer.records.people import Person, Registration
from issuer.records.sittings import Programme, Sitting
from issuer.rules.hearing import OPEN as OPEN_HEARINGS
from issuer.rules.hearing import HearingState
from issuer.rules.keeping import DataKind, PersonFacts, SittingFacts
from issuer.rules.policy import Policy
from issuer.rules.queues import CaseKind, CaseState, owning_queue
from issuer.rules.terms import ReviewRound

Row = Mapping[str, Any]

_KINDS: dict[str, DataKind] = {
    "persons": DataKind.IDENTITY,
    "registrations": DataKind.IDENTITY,
    "scores": DataKind.IDENTITY,
    "mail_bookings": DataKind.CONTACT,
    "parcels": DataKind.CONTACT,
    "holdings": DataKind.REGISTER,
    "e_certificates": DataKind.REGISTER,
    "annotated_copies": DataKind.REGISTER,
    "corrections": DataKind.REGISTER,
    "invalidations": DataKind.REGISTER,
    "large_act_items": DataKind.REGISTER,
    "status_events": DataKind.REGISTER,
    "seal_intents": DataKind.REGISTER,
    "batch_items": DataKind.REGISTER,
    "misconduct_records": DataKind.REGISTER,
    "misconduct_considerations": DataKind.REGISTER,
    "transfer_notes": DataKind.REGISTER,
    "watches": DataKind.REGISTER,
    "erasures": DataKind.REGISTER,
    "paper_replacement_requests": DataKind.PAPER,
}
_COLUMNS = {
    ("registrations", "mobile"): DataKind.CONTACT,
    ("registrations", "employer"): DataKind.CONTACT,
    ("registrations", "photo_key"): DataKind.FILE,
}


def kind_of(table: Table, column: str) -> DataKind:
    """Which kind of data a column holds. What is not named is part of the file a review rests on."""
    named = _COLUMNS.get((table.name, column)) or _KINDS.get(table.name)
    return named or (DataKind.PAPER if table.name.startswith(("paper_", "handover_")) else DataKind.FILE)


def rows_about(session: Session, person_id: int) -> dict[Table, Sequence[Row]]:
    """Table → the person's rows, decrypted, tables others point to first. Tables without a row are left out."""
    found: dict[Table, Sequence[Row]] = {}
    for table in all_tables():
        if table is Person.__table__:
            where = [table.c.id == person_id]
        else:
            where = [
                column.in_([row[key.column.name] for row in found[key.column.table]])
                for column in table.columns
                for key in column.foreign_keys
                if key.column.table in found and key.column.table is not table
            ]
            if "person_id" in table.c and not table.c.person_id.foreign_keys:
                where.append(table.c.person_id == person_id)
        if where:
            rows = session.execute(select(table).where(or_(*where))).mappings().all()
            if rows:
                found[table] = [dict(row) for row in rows]
    return found


def facts_of(session: Session, person_id: int, rows: Mapping[Table, Sequence[Row]]) -> PersonFacts:
    """What the rules of keeping look at."""
    by_name = {table.name: found for table, found in rows.items()}
    sittings = session.execute(
        select(Sitting.exam_ended_on, Sitting.supplementary_closes_on, Programme.policy)
        .join(Programme, Programme.code == Sitting.programme_code)
        .join(Registration, Registration.sitting_code == Sitting.code)
        .where(Registration.person_id == person_id)
    )
    fell = {row["id"] for row in by_name.get("registrations", ()) if row["void_since"] is not None}
    paper = bool(by_name.get("paper_certificates"))
    made = any(row["state"] != "abandoned" for row in by_name.get("e_certificates", ()))
    return PersonFacts(
        tuple(SittingFacts(ended, closes, Policy.from_dict(policy)) for ended, closes, policy in sittings),
        certificate=made or paper,
        paper=paper,
        misconduct=bool(by_name.get("misconduct_records")),
        open_case=any(
            is_open(table.name, row, void=row.get("registration_id") in fell)
            for table, found in rows.items()
            for row in found
        ),
    )


def is_open(table: str, row: Row, *, void: bool) -> bool:
    """Whether a row is a case that waits for a decision, by the rules of queues, hearings and statements.

    `void`: whether its registration fell (R9). An erasure that is asked for keeps nothing from being erased.
    """
    if table == "defence_statements":
        return row["decided_at"] is None
    if table == "hearings":
        return HearingState(row["state"]) in OPEN_HEARINGS
    if table == "mail_bookings":  # on its way to the holder (R12)
        return bool(row["state"] == "open")
    case = _CASES.get(table)
    return case is not None and owning_queue(case(row, void)) is not None


_CASES: dict[str, Callable[[Row, bool], CaseState]] = {
    "eligibility_reviews": lambda row, void: CaseState(
        CaseKind.REVIEW, row["outcome"], ReviewRound(row["round"]), void=void
    ),
    "objections": lambda row, _: CaseState(CaseKind.OBJECTION, "closed" if row["resolved_at"] else "open"),
    "invalidations": lambda row, _: CaseState(CaseKind.INVALIDATION, row["state"]),
    "corrections": lambda row, _: CaseState(CaseKind.CORRECTION, row["state"]),
    "paper_replacement_requests": lambda row, _: CaseState(
        CaseKind.REPLACEMENT, row["state"], approved=row["approved_by"] is not None
    ),
    "data_objections": lambda row, _: CaseState(
        CaseKind.DATA_OBJECTION, row["state"], watching=row["matter"] == "watch"
    ),
}
"""How the row of a table stands as a case. A sheet of paper is no case here: it is kept as paper (R13)."""


def subjects_of(rows: Mapping[Table, Sequence[Row]]) -> tuple[str, ...]:
    """How audit events may refer to the person's rows."""
    names = {
        "persons": "person",
        "registrations": "registration",
        "e_certificates": "certificate",
        "objections": "objection",
        "invalidations": "invalidation",
        "annotated_copies": "copy",
        "corrections": "correction",
        "materials": "material",
        "erasures": "erasure",
        "hearings": "hearing",
    }
    found = [
        f"{names[table.name]}:{row['id']}" for table, those in rows.items() if table.name in names for row in those
    ]
    papers = next((those for table, those in rows.items() if table.name == "paper_certificates"), ())
    return (*found, *(f"paper:{row['serial']}" for row in papers))
