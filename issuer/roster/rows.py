"""One roster row: validated and made canonical, or findings that say why not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from sys import intern

from issuer.roster.cells import (
    cell_date,
    cell_score,
    cell_text,
    folded,
    hard_to_draw,
    looks_hostile,
    plain_text,
    score_text,
)
from issuer.roster.columns import ColumnMap, head_key
from issuer.roster.declared import read_facts, read_promise
from issuer.roster.findings import Finding, error, note, refused
from issuer.roster.row import RosterRow
from issuer.roster.vocabulary import BASES, GENDERS, ID_EMPTY, ID_FILL, id_type_of
from issuer.roster.xlsx_reading import Cell
from issuer.rules.identity import Identity, parse_identity
from issuer.rules.names import require_printable_name
from issuer.rules.policy import Policy
from issuer.rules.terms import ApplicationBasis, IdType
from issuer.rules.violation import RuleViolation
from verifier.record.names import normalise_name

MAX_TEXT = 200

_ADMISSION = re.compile(r"[A-Z0-9][A-Z0-9\-]{3,39}", re.ASCII)
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_BLANK_IN_HAN = re.compile(rf"(?<=[{_HAN}·]) (?=[{_HAN}·])")


@dataclass(frozen=True, slots=True)
class SittingFrame:
    """What a row is measured by."""

    level: str
    specialties: tuple[str, ...]
    pass_marks: Mapping[str, int]
    exam_ended_on: date
    today: date
    policy: Policy


class RowReader:
    """Reads rows of one file against one sitting."""

    def __init__(self, columns: ColumnMap, frame: SittingFrame) -> None:
        self._columns = columns
        self._frame = frame

    def read(self, number: int, cells: list[Cell]) -> tuple[RosterRow | None, list[Finding]]:
        """The row, or None with at least one error among the findings. All faults of a row are told at once."""
        findings: list[Finding] = []
        if self._columns.overflows(cells):
            return None, [error(number, self._columns.head("admission_no"), "row_too_long")]
        kind = self._id_type(number, cells, findings)
        admission_no = self._admission_no(number, cells, findings)
        name = self._name(number, cells, findings)
        identity = self._identity(number, cells, kind, findings)
        gender = self._gender(number, cells, identity, findings)
        birth_date = self._birth_date(number, cells, identity, findings)
        specialty = self._specialty(number, cells, findings)
        level = self._level(number, cells, findings)
        city = self._city(number, cells, findings)
        basis = self._basis(number, cells, findings)
        scores = self._scores(number, cells, findings)
        mobile = self._mobile(number, cells, findings)
        employer = self._text(number, cells, "employer", findings)
        photo_name = cell_text(self._cell(cells, "photo")).strip()
        facts = read_facts(number, self._columns, partial(self._cell, cells), findings)
        promise = read_promise(number, self._columns, partial(self._cell, cells), self._frame.today, findings)
        if identity is None or any(finding.level == "error" for finding in findings):
            return None, findings
        return RosterRow(
            row=number,
            admission_no=admission_no,
            name=name,
            gender=gender,
            identity=identity,
            birth_date=birth_date,
            specialty=specialty,
            level=level,
            city=city,
            basis=basis,
            scores=scores,
            mobile=mobile,
            employer=employer,
            photo_name=photo_name,
            facts=facts,
            promise=promise,
        ), findings

    def _cell(self, cells: list[Cell], field: str) -> Cell:
        index = self._columns.fields.get(field)
        return cells[index] if index is not None and index < len(cells) else ""

    def _folded(self, cells: list[Cell], field: str) -> str:
        return folded(cell_text(self._cell(cells, field)))

    def _admission_no(self, row: int, cells: list[Cell], findings: list[Finding]) -> str:
        head = self._columns.head("admission_no")
        cell = self._cell(cells, "admission_no")
        raw = cell_text(cell)
        text = "".join(folded(raw).lstrip("'").split()).upper()
        if not text:
            findings.append(error(row, head, "admission_no_missing"))
        elif (isinstance(cell, float) and len(text) > 15) or re.fullmatch(r"[0-9.]+E\+[0-9]+", text):
            findings.append(error(row, head, "admission_no_damaged"))
        elif _ADMISSION.fullmatch(text) is None:
            findings.append(error(row, head, "admission_no_form"))
        elif text != raw:
            findings.append(note(row, head, "admission_no_mended"))
        return text

    def _name(self, row: int, cells: list[Cell], findings: list[Finding]) -> str:
        head = self._columns.head("name")
        raw = cell_text(self._cell(cells, "name"))
        # Outer and full-width blanks are mended; a line break or tab inside is not a blank.
        name = _BLANK_IN_HAN.sub("", normalise_name(raw)) if not re.search(r"[\t\r\n\x0b\x0c]", raw.strip()) else raw
        try:
            require_printable_name(name)
        except RuleViolation as violation:
            findings.append(refused(row, head, violation))
            return name
        seen = (("name_mended", name != raw), ("name_may_not_be_drawn", hard_to_draw(name)))
        findings.extend(note(row, head, code) for code, holds in seen if holds)
        return name

    def _id_type(self, row: int, cells: list[Cell], findings: list[Finding]) -> IdType | None:
        if "id_type" not in self._columns.fields:
            return IdType.RESIDENT_ID
        head = self._columns.head("id_type")
        text = head_key(cell_text(self._cell(cells, "id_type")))
        if not text:
            findings.append(error(row, head, "id_type_missing"))
            return None
        kind = id_type_of(text)
        if kind is None:
            findings.append(error(row, head, "id_type_unknown"))
        return kind

    def _identity(self, row: int, cells: list[Cell], kind: IdType | None, findings: list[Finding]) -> Identity | None:
        head = self._columns.head("id_no")
        cell = self._cell(cells, "id_no")
        text = cell_text(cell)
        if kind is None:
            if not text.strip():
                findings.append(
                    refused(row, head, RuleViolation("R3", "id_missing", found=ID_EMPTY, expected=ID_FILL))
                )
            return None
        try:
            identity = parse_identity(
                kind,
                text,
                self._frame.today,
                numeric_cell=isinstance(cell, int | float) and not isinstance(cell, bool),
            )
        except RuleViolation as violation:
            findings.append(refused(row, head, violation))
            return None
        findings.extend(note(row, head, code) for code in (*identity.mended, *identity.hints))
        return identity

    def _gender(self, row: int, cells: list[Cell], identity: Identity | None, findings: list[Finding]) -> str:
        text, by_number = self._folded(cells, "gender").lower(), identity.gender if identity else None
        given = GENDERS.get(text, "")
        if text and (not given or (by_number and given != by_number)):
            code = "gender_differs" if given else "gender_unknown"
            findings.append(note(row, self._columns.head("gender"), code))
        return given or by_number or ""

    def _birth_date(self, row: int, cells: list[Cell], identity: Identity | None, findings: list[Finding]) -> str:
        head = self._columns.head("birth_date")
        cell = self._cell(cells, "birth_date")
        by_number = identity.birth_date if identity else None
        if isinstance(cell, str) and not cell.strip():
            if by_number is None:
                # Without a date in the number the column must say it; without the column nobody asks.
                if "birth_date" in self._columns.fields and identity is not None:
                    findings.append(error(row, head, "birth_date_missing"))
                return ""
            born: date | None = by_number
        else:
            born = cell_date(cell)
        if born is None or (by_number is not None and born != by_number) or not self._plausible(born):
            findings.append(error(row, head, "birth_date"))
            return ""
        return born.isoformat()

    def _plausible(self, born: date) -> bool:
        day, policy = self._frame.exam_ended_on, self._frame.policy
        age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        return policy.min_age <= age <= policy.max_age

    def _specialty(self, row: int, cells: list[Cell], findings: list[Finding]) -> str:
        head = self._columns.head("specialty")
        known = self._frame.specialties
        text = "".join(self._folded(cells, "specialty").split())
        if not text:
            if len(known) <= 1:
                return known[0] if known else ""
            findings.append(error(row, head, "specialty_missing"))
            return ""
        for specialty in known:
            if "".join(folded(specialty).split()) == text:
                return intern(specialty)
        findings.append(error(row, head, "specialty_unknown"))
        return ""

    def _level(self, row: int, cells: list[Cell], findings: list[Finding]) -> str:
        text = "".join(self._folded(cells, "level").split())
        if text and text != "".join(folded(self._frame.level).split()):
            findings.append(error(row, self._columns.head("level"), "level_unknown"))
        return self._frame.level

    def _city(self, row: int, cells: list[Cell], findings: list[Finding]) -> str:
        head = self._columns.head("city")
        text, _ = plain_text(self._folded(cells, "city"))
        city = text[:-1] if len(text) > 2 and text.endswith("市") else text
        if len(city) > 40 or self._frame.policy.region_code(city) is None:
            findings.append(error(row, head, "city_unknown"))
        elif city and city not in self._frame.policy.regions:
            findings.append(note(row, head, "city_not_coded"))
        return intern(city)

    def _basis(self, row: int, cells: list[Cell], findings: list[Finding]) -> str:
        text = head_key(cell_text(self._cell(cells, "basis")))
        basis = BASES.get(text) if text else ApplicationBasis.COMMITMENT
        if basis is None:
            findings.append(error(row, self._columns.head("basis"), "basis_unknown"))
            return ""
        return basis.value

    def _scores(self, row: int, cells: list[Cell], findings: list[Finding]) -> tuple[str, ...]:
        scores = []
        for subject, mark in self._frame.pass_marks.items():
            index = self._columns.subjects[subject]
            head = self._columns.heads[index]
            cell = cells[index] if index < len(cells) else ""
            value = cell_score(cell)
            if isinstance(cell, str) and not cell.strip():
                findings.append(error(row, head, "score_missing"))
            elif value is None:
                findings.append(error(row, head, "score_unreadable"))
            elif isinstance(value, str) or value < mark:
                findings.append(error(row, head, "not_passed", clause="R4"))
            else:
                scores.append(intern(score_text(value)))
        return tuple(scores)

    def _mobile(self, row: int, cells: list[Cell], findings: list[Finding]) -> str:
        text, _ = plain_text(self._folded(cells, "mobile"))
        digits = re.sub(r"[\s()-]", "", text.lstrip("'"))
        if digits and re.fullmatch(r"(\+?86)?1[0-9]{10}|\+[0-9]{6,15}", digits, re.ASCII) is None:
            findings.append(note(row, self._columns.head("mobile"), "mobile_form"))
        return digits[:40]

    def _text(self, row: int, cells: list[Cell], field: str, findings: list[Finding]) -> str:
        head = self._columns.head(field)
        text, mended = plain_text(self._cell(cells, field))
        if len(text) > MAX_TEXT:
            findings.append(error(row, head, "text_too_long"))
        if mended:
            findings.append(note(row, head, "text_control_removed"))
        if looks_hostile(text):
            findings.append(note(row, head, "text_kept_as_text"))
        return text
