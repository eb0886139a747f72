"""Candidates who declared something, registers that answer, and papers to hand in; all invented."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import typst
from PIL import Image, ImageDraw
from sqlalchemy import Engine, select

import issuer.records.registration  # noqa: F401 - its tables must be known before create_all
from issuer.records.people import Person, Registration
from issuer.records.sittings import Programme, Sitting
from issuer.records.storage import Storage
from issuer.registration.from_roster import write_facts
from issuer.registration.report import ComparisonReport, compare_file
from issuer.rules.comparison import FactItem
from issuer.rules.terms import Role
from tests.factories.small_world import SmallContext, SmallWorld, admission_no, small_context, staff

POLICY: dict[str, Any] = {"comparison_items": ["education", "major", "years"]}
DECLARED = {FactItem.EDUCATION: "本科", FactItem.MAJOR: "土木工程", FactItem.YEARS: "6"}
ISSUER = staff("issuer", Role.AUTHORITY_ISSUER)
BODY = staff("body", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}))
STRANGER = staff("stranger", Role.REVIEW_BODY, programmes=frozenset({"OTHER"}))
TEXT = {"text_zh": "本人承诺所填报的学历、专业、工作年限真实。", "text_en": "I declare that what I stated is true."}


@dataclass
class FactsContext(SmallContext):
    """A small context that keeps files as well."""

    storage: Any = None


@dataclass
class FactsWorld(SmallWorld):
    """A small world whose programme compares facts."""

    folder: Path = Path()

    @property
    def ctx(self) -> Any:
        """The context with its storage."""
        return self.context

    def policy(self, **values: Any) -> None:
        """Set the programme's policy."""
        with self.context.database.write() as session:
            session.get_one(Programme, self.programme).policy = values

    def declare(self, count: int, facts: Mapping[FactItem, str] = DECLARED) -> list[int]:
        """`count` people who declared `facts`; their registrations."""
        ids = self.register(count)
        with self.context.database.write() as session:
            write_facts(session, [(number, facts) for number in ids], self.context.clock.now())
        return ids

    def person(self, registration_id: int) -> int:
        """Whose registration it is."""
        with self.context.database.read() as session:
            return session.scalars(select(Registration.person_id).where(Registration.id == registration_id)).one()

    def again(self, registration_id: int, code: str, facts: Mapping[FactItem, str] = DECLARED) -> int:
        """The same person at another sitting of the programme, a year on."""
        with self.context.database.write() as session:
            old = session.get_one(Registration, registration_id)
            before = session.get_one(Sitting, old.sitting_code)
            if session.get(Sitting, code) is None:
                days = {
                    name: getattr(before, name).replace(year=2026)
                    for name in Sitting.__table__.columns.keys()  # noqa: SIM118 - a table's columns, not a dict
                    if name.endswith("_on")
                }
                session.add(
                    Sitting(
                        code=code,
                        programme_code=before.programme_code,
                        specialties=before.specialties,
                        pass_marks=before.pass_marks,
                        **days,
                    )
                )
                session.flush()
            new = Registration(
                sitting_code=code,
                person_id=old.person_id,
                admission_no=f"42{registration_id:010}",
                name=old.name,
                name_index=old.name_index,
                basis=old.basis,
                city=old.city,
                row_digest="0" * 64,
                imported_at=self.context.clock.now(),
            )
            session.add(new)
            session.flush()
            write_facts(session, [(new.id, facts)], self.context.clock.now())
            return new.id

    def compare(self, rows: Sequence[Mapping[str, str]], source: str = "education", **more: Any) -> ComparisonReport:
        """Compare with a file of these rows."""
        path = source_csv(self.folder / f"{source}.csv", rows)
        return compare_file(self.context, ISSUER, more.pop("sitting", self.sitting), source, path, **more)


def facts_world(engine: Engine, folder: Path, *, today: date = date(2025, 9, 10), **policy: Any) -> FactsWorld:
    """Scores came out on 1 September 2025; the review reports on the 16th and ends on 1 November."""
    base = small_context(engine, folder, today=today)
    context = FactsContext(base.database, base.clock, base.settings, storage=Storage.in_folder(folder / "files"))
    world = FactsWorld(context, folder=folder)
    world.build()
    world.policy(**(POLICY | policy))
    return world


def source_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """A register's file with the columns its rows have."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows([row.get(head, "") for head in heads] for row in rows)
    return path


def answer(number: int, **values: str) -> dict[str, str]:
    """A row about the n-th person of the world, by admission number."""
    return {"准考证号": admission_no(number), **values}


def agreeing(numbers: Iterable[int]) -> list[dict[str, str]]:
    """A register that holds what was declared."""
    return [answer(number, 学历="大学本科", 所学专业="土木工程专业", 工作年限="7年") for number in numbers]


def a_pdf(pages: int = 2) -> bytes:
    """A paper of so many pages."""
    text = "\n#pagebreak()\n".join(f"= Page {number}" for number in range(1, pages + 1))
    return bytes(typst.compile(text.encode()))


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (900, 640), text: str = "GRADUATION") -> bytes:
    """A photographed certificate, as far as anybody can see."""
    picture = Image.new("RGB", size, "#f4f0e4")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, size[0] - 20, size[1] - 20), outline="#a02020", width=6)
    draw.text((size[0] // 3, size[1] // 3), text, fill="#202020")
    draw.ellipse((size[0] - 260, size[1] - 260, size[0] - 90, size[1] - 90), outline="#c22a22", width=8)
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def id_no_of(world: SmallWorld, registration_id: int) -> str:
    """The number on the document."""
    with world.context.database.read() as session:
        row = session.get_one(Registration, registration_id)
        return session.get_one(Person, row.person_id).id_no
