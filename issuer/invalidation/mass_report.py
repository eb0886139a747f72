"""Lists that were proposed, how far each has come, and the workbook that goes back to its sender."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import func, select

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.invalidation.mass import KIND
from issuer.invalidation.mass_file import BASIS, DAY, GROUND, NUMBER
from issuer.invalidation.mass_guards import unknown_act
from issuer.invalidation.mass_plan import MassLine
from issuer.records.certificates import ECertificate
from issuer.records.large_acts import LargeAct, LargeActItem
from issuer.records.people import Registration
from issuer.records.sittings import Sitting
from issuer.rules.terms import Role
from issuer.words import say_in_both

READERS = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.REVIEW_BODY,
    Role.SUPERVISOR,
    Role.AUDITOR,
)
RESULTS = ("waiting", "proposed", "done", "refused")
_OPEN = {"proposing": "waiting", "running": "proposed", "rejecting": "proposed", "withdrawing": "proposed"}


@dataclass(frozen=True, slots=True)
class MassItem:
    """One row of a proposed list. `basis` may name people."""

    row: int
    management_no: str
    ground: str
    basis: str
    effective_on: date | None
    result: str
    code: str | None
    clause: str | None
    case: int | None
    certificate_id: int | None = None
    registration_id: int | None = None

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "effective_on": self.effective_on.isoformat() if self.effective_on else None
        }


@dataclass(frozen=True, slots=True)
class MassView:
    """A proposed list as staff see it."""

    id: int
    state: str
    digest: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    finished_at: datetime | None
    counts: dict[str, int]
    paused: bool = False

    @property
    def total(self) -> int:
        """Rows in all."""
        return sum(self.counts.values())

    @property
    def finished(self) -> int:
        """Rows with which the present step is done."""
        return self.total - self.counts.get(_OPEN.get(self.state, ""), 0)

    def to_json(self) -> dict[str, Any]:
        """Plain values, instants in RFC 3339."""
        instants = {
            name: value.isoformat() if (value := getattr(self, name)) else None
            for name in ("proposed_at", "decided_at", "finished_at")
        }
        return {name: getattr(self, name) for name in self.__slots__} | {
            **instants,
            "total": self.total,
            "finished": self.finished,
        }


def list_many(ctx: Context, actor: Actor, *, before: int | None = None, limit: int = 50) -> list[MassView]:
    """Lists newest first; a review body sees those it proposed itself (R1). Raises NotAllowedError."""
    actor.require(*READERS)
    query = select(LargeAct).where(LargeAct.kind == KIND).order_by(LargeAct.id.desc()).limit(limit)
    if before is not None:
        query = query.where(LargeAct.id < before)
    if not actor.roles - {Role.REVIEW_BODY}:
        query = query.where(LargeAct.proposed_by == actor.username)
    with ctx.database.read() as session:
        acts = session.scalars(query).all()
        counted = select(LargeActItem.act_id, LargeActItem.result, func.count()).where(
            LargeActItem.act_id.in_([act.id for act in acts])
        )
        counts: dict[int, dict[str, int]] = {act.id: dict.fromkeys(RESULTS, 0) for act in acts}
        for act_id, result, count in session.execute(counted.group_by(LargeActItem.act_id, LargeActItem.result)):
            counts[act_id][result] = count
    return [_view(act, counts[act.id]) for act in acts]


def show_many(ctx: Context, actor: Actor, act_id: int) -> MassView:
    """One list; raises NotFoundError (also for another body's), NotAllowedError."""
    found = next(iter(list_many(ctx, actor, before=act_id + 1, limit=1)), None)
    if found is None or found.id != act_id:
        raise unknown_act()
    return found


def progress_of(ctx: Context, actor: Actor, act_id: int) -> dict[str, Any]:
    """How far it has come, in numbers alone; raises as `show_many`."""
    view = show_many(ctx, actor, act_id)
    return {
        "act": act_id,
        **{name: getattr(view, name) for name in ("state", "paused", "total", "finished", "counts")},
    }


def items_of(ctx: Context, actor: Actor, act_id: int, *, after: int = 0, limit: int | None = None) -> list[MassItem]:
    """The rows of a list in order, by pages or all; raises as `show_many`."""
    show_many(ctx, actor, act_id)
    query = (
        select(LargeActItem, ECertificate.management_no)
        .outerjoin(ECertificate, LargeActItem.certificate_id == ECertificate.id)
        .where(LargeActItem.act_id == act_id, LargeActItem.position > after)
        .order_by(LargeActItem.position)
        .limit(limit)
    )
    if not actor.roles - {Role.REVIEW_BODY}:
        query = (
            query.join(Registration, LargeActItem.registration_id == Registration.id)
            .join(Sitting, Registration.sitting_code == Sitting.code)
            .where(Sitting.programme_code.in_(actor.programmes))
        )
    with ctx.database.read() as session:
        return [
            MassItem(
                row=item.position,
                management_no=item.named or number or "",
                ground=item.ground or "",
                basis=item.basis or "",
                effective_on=item.effective_on,
                result=item.result,
                code=item.code,
                clause=item.clause,
                case=item.case_id,
                certificate_id=item.certificate_id,
                registration_id=item.registration_id,
            )
            for item, number in session.execute(query)
        ]


def write_workbook(lines: Sequence[MassLine], items: Iterable[MassItem], target: Path) -> int:
    """The list with what became of each row, at `target`; it can be mended and sent again. Returns how many rows.

    `lines` are the rows as planned, `items` what has been done since; either may be empty. All cells are text.
    """
    done = {item.row: item for item in items}
    rows = [_row(line, done.pop(line.row, None)) for line in lines]
    rows += [_row(None, item) for item in done.values()]
    rows.sort(key=lambda row: int(row[0]))
    heads = (
        "行 row",
        NUMBER,
        GROUND,
        BASIS,
        DAY,
        "结果 result",
        "原因代码 code",
        "说明 why",
        "办法 remedy",
        "事项 case",
    )
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet("证书无效清单")
        head = book.add_format({"bold": True, "bottom": 1})
        plain = {"num_format": "@", "text_wrap": True, "valign": "top"}
        looks = {False: book.add_format(plain), True: book.add_format(plain | {"bg_color": "#FFE0B2"})}
        guarded = book.add_format(plain | {"quote_prefix": True})
        for column, (title, width) in enumerate(zip(heads, (8, 24, 26, 40, 14, 14, 22, 44, 44, 10), strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, head)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows, 1):
            faulty = row[5] == say_in_both("mass", "refused").zh
            for column, text in enumerate(row):
                if text:
                    sheet.write_string(number, column, text, guarded if text[0] in "=+-@" else looks[faulty])
    return len(rows)


def _row(line: MassLine | None, item: MassItem | None) -> tuple[str, ...]:
    finding = line.finding if line else None
    if item is not None:
        result, code = item.result, item.code
        words, remedy = (say_in_both("mass-code", code).zh, "") if code else ("", "")
        facts = (item.management_no, item.ground, item.basis, item.effective_on, item.case)
    else:
        assert line is not None, "a row comes from one of the two"
        result, code = line.effect, finding.code if finding else None
        words, remedy = (finding.message.zh, finding.remedy.zh) if finding else ("", "")
        facts = (line.management_no, line.ground, line.basis, line.effective_on, line.case)
    number, ground, basis, day, case = facts
    return (
        str(item.row if item else line.row if line else 0),
        number,
        ground,
        basis,
        str(day or ""),
        say_in_both("mass", result).zh,
        code or "",
        words,
        remedy,
        str(case or ""),
    )


def _view(act: LargeAct, counts: dict[str, int]) -> MassView:
    return MassView(
        id=act.id,
        state=act.state,
        digest=act.plan_digest,
        proposed_by=act.proposed_by,
        proposed_at=act.proposed_at,
        decided_by=act.decided_by,
        decided_at=act.decided_at,
        decision_note=act.decision_note,
        finished_at=act.finished_at,
        counts=counts,
        paused=act.paused_at is not None,
    )
