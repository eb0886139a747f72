"""告知承诺书 (R2): published once, accepted as shown, taken back, signed on paper, told by the roster."""

from datetime import date, datetime

import pytest
from sqlalchemy import select

from issuer.clock import SHANGHAI
from issuer.errors import ConflictError, DomainError, InputError, NotAllowedError, NotFoundError
from issuer.holders.sign_in import Holder
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.records.registration import CommitmentAcceptance
from issuer.registration import commitments
from issuer.registration.commitments import TextView
from issuer.registration.from_roster import Promise, write_promises
from issuer.registration.view import RegistrationFacts, facts_of
from issuer.rules.commitment import CommitmentStanding
from tests.factories.registration_facts import BODY, ISSUER, STRANGER, TEXT, FactsWorld

S = CommitmentStanding


def publish(world: FactsWorld, version: str, begins: date, **text: str) -> TextView:
    return commitments.publish_text(
        world.context, ISSUER, world.programme, version=version, in_force_from=begins, **(TEXT | text)
    )


def facts(world: FactsWorld, number: int) -> RegistrationFacts:
    with world.context.database.read() as session:
        return facts_of(session, session.get_one(Registration, number), world.context.clock.today())


def accept(world: FactsWorld, number: int, text: TextView, **more: str) -> None:
    person = world.person(number)
    version, digest = more.get("version", text.version), more.get("digest", text.digest)
    commitments.accept(world.context, person, Holder(person, "c").actor, number, version, digest)


def refused(act: object) -> tuple[str, str | None]:
    with pytest.raises(DomainError) as caught:
        act()  # type: ignore[operator]
    return caught.value.code, caught.value.clause


def test_published_once_and_never_changed(world: FactsWorld) -> None:
    text = publish(world, "2025-1", date(2025, 9, 1))
    assert publish(world, "2025-1", date(2025, 9, 1)) == text, "the very same again changes nothing"
    assert refused(lambda: publish(world, "2025-1", date(2025, 9, 1), text_zh="本人承诺另一番内容，全部属实。")) == (
        "commitment-version-exists",
        "R2",
    )
    with world.context.database.read() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.act == "commitment.publish")).all()
    assert [(event.clause, event.details["version"]) for event in events] == [("R2", "2025-1")]
    assert [view.version for view in commitments.list_texts(world.context, BODY, world.programme)] == ["2025-1"]
    with pytest.raises(NotAllowedError):
        commitments.list_texts(world.context, STRANGER, world.programme)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"version": "第一版"}, "commitment-version-form"),
        ({"text_zh": "短"}, "commitment-text-unusable"),
        ({"text_en": "I declare\u202e that."}, "commitment-text-unusable"),
        ({"programme": "NONE"}, "programme-not-found"),
    ],
)
def test_texts_that_cannot_be_used(world: FactsWorld, values: dict[str, str], code: str) -> None:
    programme = values.pop("programme", world.programme)
    known = {"version": "1", "in_force_from": date(2025, 9, 1), **TEXT, **values}
    act = lambda: commitments.publish_text(world.context, ISSUER, programme, **known)  # type: ignore[arg-type]  # noqa: E731
    assert refused(act)[0] == code


def test_accepted_as_shown_taken_back_and_given_again(world: FactsWorld) -> None:
    (number,) = world.register(1)
    text = publish(world, "2025-1", date(2025, 9, 1))
    assert facts(world, number).commitment is S.NONE
    assert refused(lambda: accept(world, number, text, digest="0" * 64)) == ("commitment-text-changed", "R2")
    accept(world, number, text)
    accept(world, number, text)
    shown = facts(world, number)
    assert shown.commitment is S.STANDS
    assert shown.promise is not None
    assert (shown.promise.version, shown.promise.channel, shown.promise.own) == ("2025-1", "online", True)
    person = world.person(number)
    commitments.withdraw(world.context, person, Holder(person, "c").actor, number)
    commitments.withdraw(world.context, person, Holder(person, "c").actor, number)
    assert facts(world, number).commitment is S.WITHDRAWN
    accept(world, number, text)
    assert facts(world, number).commitment is S.STANDS
    with world.context.database.read() as session:
        assert len(session.scalars(select(CommitmentAcceptance)).all()) == 2, "what was taken back stays on record"
        acts = [event.act for event in session.scalars(select(AuditEvent).order_by(AuditEvent.sequence))]
    assert acts[1:] == ["commitment.accept", "commitment.withdraw", "commitment.accept"]


def test_a_text_that_changed_while_it_was_read_is_not_accepted(world: FactsWorld) -> None:
    (number,) = world.register(1)
    old = publish(world, "2025-1", date(2025, 9, 1))
    publish(world, "2025-2", date(2025, 9, 10))
    assert refused(lambda: accept(world, number, old)) == ("commitment-text-changed", "R2")


def test_no_new_text_reaches_back_to_a_promise_made(world: FactsWorld) -> None:
    (number,) = world.register(1)
    accept(world, number, publish(world, "2025-1", date(2025, 9, 1)))
    assert refused(lambda: publish(world, "2025-2", date(2025, 9, 10))) == ("commitment-back-dated", "R2")
    publish(world, "2025-2", date(2025, 9, 11))
    world.context.clock.move_to(date(2025, 9, 12))  # type: ignore[attr-defined]
    assert facts(world, number).commitment is S.STANDS, "promised by the text of that day"


def test_nobody_accepts_for_another_nor_for_a_void_registration(world: FactsWorld) -> None:
    first, second = world.register(2)
    text = publish(world, "2025-1", date(2025, 9, 1))
    stranger = Holder(world.person(second), "c")
    with pytest.raises(NotFoundError):
        commitments.accept(world.context, stranger.person_id, stranger.actor, first, text.version, text.digest)
    with pytest.raises(NotFoundError):
        commitments.withdraw(world.context, stranger.person_id, stranger.actor, first)
    with world.context.database.write() as session:
        session.get_one(Registration, first).void_since = world.context.clock.now()
    assert refused(lambda: accept(world, first, text)) == ("registration-void", "R9")


def test_signed_on_paper_before_staff(world: FactsWorld) -> None:
    (number,) = world.register(1)
    record = commitments.record_at_counter
    assert refused(lambda: record(world.context, BODY, number, date(2025, 9, 5))) == ("commitment-text-missing", "R2")
    publish(world, "2025-1", date(2025, 9, 1))
    with pytest.raises(InputError):
        record(world.context, BODY, number, date(2025, 9, 11))
    with pytest.raises(NotAllowedError):
        record(world.context, STRANGER, number, date(2025, 9, 5))
    record(world.context, BODY, number, date(2025, 9, 5))
    shown = facts(world, number)
    assert shown.promise is not None
    assert (shown.commitment, shown.promise.channel) == (S.STANDS, "counter")
    assert shown.promise.accepted_at.astimezone(SHANGHAI).date() == date(2025, 9, 5)


def test_what_the_roster_tells_and_what_a_list_may_not_take_away(world: FactsWorld) -> None:
    first, second, third = world.register(3)
    text = publish(world, "2025-1", date(2025, 3, 1))
    at = datetime(2025, 3, 2, 9, tzinfo=SHANGHAI)
    now = world.context.clock.now()
    said = [(first, Promise("2025-1", at, True)), (second, Promise("2024-9", at, True))]
    said.append((third, Promise("2025-1", at, False)))
    with world.context.database.write() as session:
        write_promises(session, said, now)
    assert [facts(world, number).commitment for number in (first, second, third)] == [
        S.STANDS,
        S.OTHER_TEXT,
        S.NOT_OWN,
    ]
    accept(world, third, text)
    with world.context.database.write() as session:
        write_promises(session, [(third, Promise("2024-9", at, False))], now, anew=True)
        write_promises(session, [(second, Promise("2025-1", at, True))], now, anew=True)
        write_promises(session, [(first, Promise("2025-1", at, True))], now, anew=True)
    assert [facts(world, number).commitment for number in (first, second, third)] == [S.STANDS] * 3
    with world.context.database.read() as session:
        kept = session.scalars(
            select(CommitmentAcceptance).where(CommitmentAcceptance.registration_id == first)
        ).all()
    assert len(kept) == 1, "the same list again adds nothing"


def test_a_conflict_names_its_clause(world: FactsWorld) -> None:
    (number,) = world.register(1)
    with pytest.raises(ConflictError) as none:
        person = world.person(number)
        commitments.accept(world.context, person, Holder(person, "c").actor, number, "1", "0" * 64)
    assert (none.value.code, none.value.clause) == ("commitment-text-missing", "R2")
