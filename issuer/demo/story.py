"""The demo's story: result day to employer, played through the same services staff and holders use."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from issuer.access.actor import Actor
from issuer.access.service import actor_for, create_account
from issuer.announcements.service import draft_announcement, publish_announcement
from issuer.clock import SimulatedClock
from issuer.context import Context
from issuer.demo.files import PAPER, PROGRAMME, SITTING, write_decisions, write_roster
from issuer.demo.paper import PaperStory
from issuer.demo.people import DemoPerson, invent_people
from issuer.errors import ConflictError, InputError
from issuer.issuance.service import BatchReport, issue_sitting
from issuer.review import service as review
from issuer.review.statements import Candidate
from issuer.roster.service import define_sitting, import_roster
from issuer.rules.announcements import AnnouncementKind
from issuer.rules.terms import ReviewRound, Role

PROPOSER, APPROVER, REVIEWER = "demo-proposer", "demo-approver", "demo-reviewer"
APPEALS = "demo-appeals"
"""Decides on appeals: who approved an invalidation may not (R9, R10)."""
STORY_DAYS = 60
"""How long ago the story begins."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays a part that differs from everybody else's, by admission number."""

    pending_then_eligible: tuple[str, ...]
    never_came: tuple[str, ...]
    defence_accepted: tuple[str, ...]
    defence_rejected: tuple[str, ...]
    objected_to: tuple[str, ...]

    @property
    def not_eligible_at_first(self) -> frozenset[str]:
        """Whom the first round does not find eligible."""
        return frozenset(
            (*self.pending_then_eligible, *self.never_came, *self.defence_accepted, *self.defence_rejected)
        )


@dataclass(slots=True)
class Told:
    """What happened, gathered for the summary."""

    people: int = 0
    rejected_rows: int = 0
    batch: BatchReport | None = None
    passwords: dict[str, str] = field(default_factory=dict)


Say = Callable[[str], None]
Progress = Callable[[int, int], None]


def casting(people: list[DemoPerson]) -> Cast:
    """Give the parts to people without a flaw, away from the rare names at the front of the list."""
    sound = [person.admission_no for person in people if person.flaw is None]
    take = iter(sound[len(sound) // 2 :])

    def some(count: int) -> tuple[str, ...]:
        return tuple(number for number, _ in zip(take, range(count), strict=False))

    if len(people) < 20:
        return Cast((), (), (), (), ())
    return Cast(some(2), some(1), some(1), some(1), some(1))


def open_accounts(ctx: Context, passwords: dict[str, str]) -> None:
    """Four members of staff, each with one part: propose and issue, approve, decide on appeals, review."""
    with ctx.database.write() as session:
        for username, display, roles, programmes in (
            (PROPOSER, "示例经办人", [Role.AUTHORITY_ISSUER], []),
            (APPROVER, "示例复核人", [Role.AUTHORITY_APPROVER], []),
            (APPEALS, "示例申诉复核人", [Role.AUTHORITY_APPROVER], []),
            (REVIEWER, "示例核查员", [Role.REVIEW_BODY], [PROGRAMME, PAPER.code]),
        ):
            create_account(
                session,
                ctx.clock,
                username=username,
                display_name=display,
                password=passwords[username],
                roles=roles,
                programmes=programmes,
            )


def actor(ctx: Context, username: str) -> Actor:
    """A demo account as an actor at the command line."""
    with ctx.database.read() as session:
        return actor_for(session, username, "cli")


def play_to_eligibility(ctx: Context, clock: SimulatedClock, folder: Path, count: int, today: date, say: Say) -> Told:
    """Roster, public notice, both rounds. `ctx` runs on `clock`, which is moved forward day by day."""
    told = Told(people=count)
    people = invent_people(count)
    roster = write_roster(folder, people, today)
    staff, second, body = (actor(ctx, name) for name in (PROPOSER, APPROVER, REVIEWER))
    cast = casting(people)
    paper = PaperStory(ctx, staff, second, body, folder.with_name("exam-centre-paper"))

    clock.move_to(today - timedelta(days=55))
    define_sitting(ctx, staff, (folder / "sitting.toml").read_bytes())
    report = import_roster(ctx, staff, SITTING, file_name=roster.name, content=roster, photos=folder / "photos.zip")
    told.rejected_rows = report.rejected
    paper.take_in(today)
    say(f"成绩发布，导入名单 / scores released, roster imported: {report.imported} 人, 退回 {report.rejected} 行")

    clock.move_to(today - timedelta(days=52))
    for sitting in (SITTING, PAPER.sitting):
        _announce(ctx, staff, second, sitting, AnnouncementKind.NOTICE)
    for number in cast.objected_to:
        who = Candidate(admission_no=number)
        objection = review.raise_objection(ctx, staff, SITTING, who, "示例：群众反映其工作年限存疑。")
        clock.move_to(today - timedelta(days=45))
        review.resolve_objection(ctx, body, objection, upheld=False, resolution="经核实，异议不成立。")
    say("公示与异议处理完毕 / public notice, one objection answered")

    clock.move_to(today - timedelta(days=42))
    first = write_decisions(folder / "decisions-first.xlsx", _first_round(people, cast))
    decided = review.apply_decisions(ctx, body, SITTING, ReviewRound.FIRST, content=first)
    paper.decide()
    clock.move_to(today - timedelta(days=36))
    for sitting in (SITTING, PAPER.sitting):
        _announce(ctx, staff, second, sitting, AnnouncementKind.RESULTS)
    clock.move_to(today - timedelta(days=35))
    review.close_first_round(ctx, staff, SITTING)
    review.open_supplementary(ctx, staff, SITTING)
    paper.make()
    say(f"第一轮核查 / first round: {sum(decided.moved.values())} 份结论")

    clock.move_to(today - timedelta(days=20))
    paper.send()
    for number in (*cast.defence_accepted, *cast.defence_rejected):
        review.file_defence(ctx, body, SITTING, Candidate(admission_no=number), "示例：补充提交劳动合同与社保记录。")
    second_round = [(number, "合格", "", "") for number in cast.pending_then_eligible]
    if second_round:
        path = write_decisions(folder / "decisions-supplementary.xlsx", second_round)
        review.apply_decisions(ctx, body, SITTING, ReviewRound.SUPPLEMENTARY, content=path)
    clock.move_to(today - timedelta(days=15))
    paper.arrive()
    for number, accepted in (
        *((number, True) for number in cast.defence_accepted),
        *((number, False) for number in cast.defence_rejected),
    ):
        verdict = "补充材料能够证明工作年限。" if accepted else "补充材料不能证明工作年限。"
        review.decide_defence(ctx, body, SITTING, Candidate(admission_no=number), accepted=accepted, note=verdict)
    if second_round:
        clock.move_to(today - timedelta(days=5))
        _announce(ctx, staff, second, SITTING, AnnouncementKind.SUPPLEMENTARY)
    clock.move_to(today - timedelta(days=4))
    review.lapse_supplementary(ctx, staff, SITTING)
    say("补充核查、申辩、逾期视为放弃 / supplementary round, defences, deemed waived")
    paper.keep()
    say("另一考试制发纸质证书：邮寄、退回、领取、保管 / another exam on paper: mailed, returned, fetched, kept")
    return told


def issue(ctx: Context, workers: int, on_progress: Progress) -> BatchReport:
    """Issue to everybody found eligible, at the real time."""
    return issue_sitting(ctx, actor(ctx, PROPOSER), SITTING, workers, on_progress)


def _announce(ctx: Context, drafter: Actor, publisher: Actor, sitting: str, kind: AnnouncementKind) -> None:
    """Drafted by one, published by the other (R5, R7, R8); a joint announcement opens the public notice.

    A name without a font, or nobody to list, leaves a draft for the console; the notice is opened all the same.
    """
    draft = draft_announcement(ctx, drafter, sitting, kind)
    try:
        publish_announcement(ctx, publisher, draft, version=0)
    except (InputError, ConflictError):
        if kind is AnnouncementKind.NOTICE:
            review.open_notice(ctx, drafter, sitting)


def _first_round(people: list[DemoPerson], cast: Cast) -> list[tuple[str, str, str, str]]:
    rows = []
    for person in people:
        number = person.admission_no
        if person.flaw is not None or number in cast.never_came:
            continue  # not handed over, or nobody could reach them: held as pending at the end of the round
        if number in cast.pending_then_eligible:
            rows.append((number, "待核查", "", "学历信息无法在线比对，请提交材料。"))
        elif number in (*cast.defence_accepted, *cast.defence_rejected):
            rows.append((number, "不合格", "work-years", "工作年限不足。"))
        else:
            rows.append((number, "合格", "", ""))
    return rows
