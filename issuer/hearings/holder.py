"""What the person does about a hearing: ask for it, take it back, confirm its minutes or object to them."""

from sqlalchemy.exc import IntegrityError

from issuer.access.actor import Actor
from issuer.errors import ConflictError, Words
from issuer.hearings.matter import About, find_hearing, hearing_about, hold_matter, new_hearing, unknown_hearing
from issuer.hearings.service import note, usable
from issuer.paper.sheets import lawful
from issuer.ports import ServiceContext
from issuer.records.people import Registration
from issuer.rules import hearing as rules
from issuer.rules.hearing import HearingState


def ask_for_hearing(ctx: ServiceContext, holder: Actor, person_id: int, about: About, why: str) -> int:
    """Ask to be heard about one's own open defence or proposed case; the hearing's id. Nothing is decided until then.

    Raises NotFoundError (also for somebody else's), InputError, ConflictError (hearing-asked, hearing-too-late).
    """
    why = usable(why, 4, 2000)
    try:
        with ctx.database.write() as session:
            matter = hold_matter(session, about)
            if matter.registration.person_id != person_id:
                raise unknown_hearing()
            known = hearing_about(session, matter)
            with lawful():
                state = HearingState(known.state) if known else None
                rules.may_ask(matter.clause, state, matter.days, ctx.clock.today())
            row = new_hearing(session, matter)
            row.asked_at, row.asked_why = ctx.clock.now(), why
            session.flush()
            note(ctx, session, holder, "hearing.ask", row)
            return row.id
    except IntegrityError as exc:
        raise ConflictError(
            "hearing-asked",
            Words("听证已提出，未重复登记。", "It was asked for already; nothing was changed."),
            remedy=Words("请刷新页面查看。", "Load the page again."),
        ) from exc


def take_back(ctx: ServiceContext, holder: Actor, person_id: int, hearing_id: int) -> None:
    """Give up one's hearing before it is held. Raises NotFoundError, ConflictError (hearing-over)."""
    with ctx.database.write() as session:
        row = find_hearing(session, hearing_id)
        _require_own(session.get_one(Registration, row.registration_id), person_id)
        with lawful():
            rules.may_waive(row.clause, HearingState(row.state))
        row.state, row.answered_at, row.answered_by = HearingState.WAIVED, ctx.clock.now(), "holder"
        session.flush()
        note(ctx, session, holder, "hearing.take-back", row)


def answer_minutes(
    ctx: ServiceContext, holder: Actor, person_id: int, hearing_id: int, *, confirmed: bool, text: str = ""
) -> None:
    """Confirm the minutes as they stand, or note what one objects to (`text`). Once; they do not change any more.

    Raises NotFoundError, InputError, ConflictError (not-to-answer, answer-too-late).
    """
    objection = None if confirmed else usable(text, 4, 4000)
    with ctx.database.write() as session:
        row = find_hearing(session, hearing_id)
        _require_own(session.get_one(Registration, row.registration_id), person_id)
        today = ctx.clock.today()
        with lawful():
            rules.may_answer(row.clause, HearingState(row.state), row.answer_due_on or today, today)
        row.state = HearingState.CONFIRMED if confirmed else HearingState.OBJECTED
        row.answer, row.answered_at, row.answered_by = objection, ctx.clock.now(), "holder"
        session.flush()
        note(ctx, session, holder, "hearing.answer", row)


def _require_own(registration: Registration, person_id: int) -> None:
    if registration.person_id != person_id:
        raise unknown_hearing()
