"""Management numbers, taken from their series in the transaction that spends them; none is ever used twice."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from issuer.issuance.facts import Case, Examination
from issuer.publication.entries import list_entry
from issuer.records.certificates import ECertificate
from issuer.records.sittings import NumberSeries
from issuer.rules.numbering import NumberPattern, parse_pattern
from issuer.rules.policy import Policy
from issuer.rules.violation import RuleViolation

ENTRY_SERIES = "status-list-entries"


def require_numberable(examination: Examination, case: Case) -> None:
    """Raise RuleViolation (R11) when the pattern needs a region or specialty code this case has none for."""
    _parts(examination, case)


def take_numbers(session: Session, examination: Examination, cases: Sequence[Case]) -> list[str]:
    """The next management numbers for these cases, in the order of the cases.

    Two programmes may share a pattern, so a number that stands in the table already is passed over. Series
    are locked in one order, so that two batches cannot wait for each other.
    Raises RuleViolation (R11): region-unknown, specialty-unknown, serial-exhausted.
    """
    parts = [_parts(examination, case) for case in cases]
    names = [
        pattern.series(programme=examination.programme.code, year=year, region=region, specialty=specialty)
        for pattern, year, region, specialty in parts
    ]
    series = {name: _locked_series(session, name) for name in sorted(set(names))}
    numbers = [""] * len(cases)
    open_places = list(range(len(cases)))
    while open_places:
        for place in open_places:
            pattern, year, region, specialty = parts[place]
            row = series[names[place]]
            numbers[place] = pattern.compose(year=year, region=region, specialty=specialty, serial=row.next_serial)
            row.next_serial += 1
        wanted = [numbers[place] for place in open_places]
        taken = set(session.scalars(select(ECertificate.management_no).where(ECertificate.management_no.in_(wanted))))
        open_places = [place for place in open_places if numbers[place] in taken]
    return numbers


def take_entries(session: Session, lookup_key: bytes, count: int) -> list[tuple[str, int]]:
    """Status-list entries (list id, index) for `count` certificates; none is ever given twice."""
    series = _locked_series(session, ENTRY_SERIES)
    first = series.next_serial - 1  # series count from 1, entries from 0
    series.next_serial += count
    return [list_entry(first + offset, lookup_key) for offset in range(count)]


def _parts(examination: Examination, case: Case) -> tuple[NumberPattern, int, str, int]:
    sitting, programme = examination.sitting, examination.programme
    policy = Policy.from_dict(programme.policy)
    pattern = parse_pattern(programme.management_no_pattern)
    needed = {name for _, name, _ in pattern.parts}
    region = policy.region_code(case.registration.city) if "region" in needed else "0"
    if region is None:
        raise RuleViolation(
            "R11",
            "region-unknown",
            found=("考区不在编号表中", "the city has no region code"),
            expected=("在项目政策 regions 中登记", "an entry in the programme's policy, table regions"),
        )
    specialty = policy.specialty_code(case.registration.specialty, tuple(sitting.specialties))
    if specialty is None and "specialty" in needed:
        raise RuleViolation(
            "R11",
            "specialty-unknown",
            found=("专业类别不在编号表中", "the specialty has no code"),
            expected=("在本批次专业类别中登记", "one of the sitting's specialties"),
        )
    return pattern, sitting.approved_on.year, region, specialty or 0


def _locked_series(session: Session, name: str) -> NumberSeries:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(NumberSeries).values(series=name, next_serial=1).on_conflict_do_nothing())
    return session.execute(
        select(NumberSeries)
        .where(NumberSeries.series == name)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
