"""Asking a register about everybody of a sitting, and keeping its answers (R3).

Made for twenty thousand people: three reads, one judgement an answer, bulk writes. An answer that is on record
already writes nothing, so the same file twice changes nothing; a register that does not answer takes no answer away.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import InputError, Words
from issuer.ports import ServiceContext
from issuer.records.encryption import data_key
from issuer.records.people import Person, Registration
from issuer.records.registration import ComparisonResultRow, ComparisonRun, DeclaredFact
from issuer.records.sittings import Sitting
from issuer.registration.dossier import fact_of
from issuer.registration.ports import Answer, ComparisonSource, Question, SourceUnreachableError
from issuer.review.sitting import OpenSitting, open_sitting, require_whole_programme
from issuer.rules.comparison import ComparisonOutcome, FactItem, compare
from issuer.rules.terms import Role

COMPARERS = (Role.AUTHORITY_ISSUER, Role.REVIEW_BODY, Role.OPERATOR)
FOUND_PURPOSE = "comparison_results.found"
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}", re.ASCII)
_RESULTS = cast(Table, ComparisonResultRow.__table__)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a run did. `new` counts answers that were written by item and outcome; `outcome_of` is for the report."""

    sitting: str
    source: str
    items: tuple[FactItem, ...]
    asked: int
    new: dict[tuple[FactItem, ComparisonOutcome], int]
    unchanged: int
    undeclared: int
    run_id: int | None
    reachable: bool = True
    outcome_of: dict[tuple[int, FactItem], ComparisonOutcome] = field(default_factory=dict)


def compare_sitting(
    ctx: ServiceContext, actor: Actor, sitting_code: str, source: ComparisonSource, *, dry_run: bool = False
) -> Comparison:
    """Ask `source` about everybody of the sitting whose registration stands, in one unit of work.

    Raises NotAllowedError (role, R1), NotFoundError, InputError (a source that answers nothing this programme asks).
    """
    actor.require(*COMPARERS)
    if _NAME.fullmatch(source.name) is None or len(source.version) > 80:
        raise InputError(
            "source-name",
            Words("来源名为小写字母、数字或连字符，版本不超过 80 字。", "A source is named in lower-case letters."),
        )
    with ctx.database.read() if dry_run else ctx.database.write() as session:
        sitting = open_sitting(session, actor, sitting_code, COMPARERS)
        require_whole_programme(actor)
        items = _wanted(sitting, source)
        if not dry_run:  # runs of one sitting follow one another
            session.get_one(Sitting, sitting_code, with_for_update=True)
        questions = _questions(session, sitting_code)
        answers, reachable = _ask(source, questions, items)
        done = _settle(session, sitting_code, source.name, questions, answers, items)
        run_id = None
        if done.rows and not dry_run:
            run_id = _write(session, ctx, actor, sitting_code, source, done)
    return Comparison(
        sitting=sitting_code,
        source=source.name,
        items=items,
        asked=len(questions),
        new=dict(sorted(done.counts.items())),
        unchanged=done.unchanged,
        undeclared=done.undeclared,
        run_id=run_id,
        reachable=reachable,
        outcome_of=done.outcome_of,
    )


@dataclass(slots=True)
class _Done:
    rows: list[dict[str, Any]] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    counts: Counter[tuple[FactItem, ComparisonOutcome]] = field(default_factory=Counter)
    unchanged: int = 0
    undeclared: int = 0
    outcome_of: dict[tuple[int, FactItem], ComparisonOutcome] = field(default_factory=dict)


def _wanted(sitting: OpenSitting, source: ComparisonSource) -> tuple[FactItem, ...]:
    items = tuple(item for item in source.items if item in sitting.policy.comparison_items)
    if not items:
        raise InputError(
            "nothing-to-compare",
            Words(
                "该项目的政策没有要求比对此来源能答复的事项，未作任何更改。",
                "The programme's policy asks to compare nothing this source answers; nothing was changed.",
            ),
            remedy=Words(
                "在 sitting.toml 的 [policy] 中设置 comparison_items 后重新定义考试。",
                "Set comparison_items in [policy] of sitting.toml and define the sitting again.",
            ),
            clause="R3",
        )
    return items


def _questions(session: Session, sitting_code: str) -> list[Question]:
    declared: dict[int, dict[FactItem, str]] = {}
    facts = session.execute(
        select(DeclaredFact.registration_id, DeclaredFact.item, DeclaredFact.value)
        .join(Registration, Registration.id == DeclaredFact.registration_id)
        .where(Registration.sitting_code == sitting_code)
    )
    for row in facts:
        declared.setdefault(row.registration_id, {})[FactItem(row.item)] = row.value
    people = session.execute(
        select(Registration.id, Registration.admission_no, Person.id_no, Registration.name)
        .join(Person, Person.id == Registration.person_id)
        .where(Registration.sitting_code == sitting_code, Registration.void_since.is_(None))
        .order_by(Registration.id)
    )
    return [Question(row.id, row.admission_no, row.id_no, row.name, declared.get(row.id, {})) for row in people]


def _ask(
    source: ComparisonSource, questions: list[Question], items: tuple[FactItem, ...]
) -> tuple[list[Answer], bool]:
    try:
        return [answer for answer in source.answers(questions) if answer.item in items], True
    except SourceUnreachableError:
        silence = ComparisonOutcome.UNREACHABLE
        return [Answer(each.registration_id, item, verdict=silence) for each in questions for item in items], False


def _settle(
    session: Session,
    sitting_code: str,
    source: str,
    questions: list[Question],
    answers: Iterable[Answer],
    items: tuple[FactItem, ...],
) -> _Done:
    declared = {question.registration_id: question.declared for question in questions}
    key, row_of = data_key(), ComparisonResultRow
    standing = {
        (row.registration_id, FactItem(row.item)): row
        for row in session.execute(
            select(row_of.id, row_of.registration_id, row_of.item, row_of.outcome, row_of.found_index, row_of.fact)
            .join(Registration, Registration.id == row_of.registration_id)
            .where(
                Registration.sitting_code == sitting_code,
                row_of.source == source,
                row_of.superseded_by.is_(None),
                row_of.item.in_(items),
            )
        )
    }
    done = _Done()
    for answer in answers:
        said = declared[answer.registration_id].get(answer.item)
        outcome = answer.verdict
        if outcome is None and answer.found is not None and said is None:
            done.undeclared += 1  # a value, and nothing to hold against it
            continue
        if outcome is None:
            outcome = compare(answer.item, said or "", answer.found or "")
        place = (answer.registration_id, answer.item)
        done.outcome_of[place] = outcome
        fact = fact_of(answer.item, said)
        index = key.blind_index(FOUND_PURPOSE, answer.found) if answer.found else ""
        before = standing.get(place)
        if before is not None and before.fact == fact:
            silent = outcome is ComparisonOutcome.UNREACHABLE
            if silent or (before.outcome, before.found_index) == (outcome.value, index):
                done.unchanged += 1
                continue
        if before is not None:
            done.superseded.append(before.id)
        done.counts[answer.item, outcome] += 1
        done.rows.append(
            {
                "registration_id": answer.registration_id,
                "item": answer.item.value,
                "source": source,
                "outcome": outcome.value,
                "found": answer.found,
                "found_index": index,
                "fact": fact,
            }
        )
    return done


def _write(
    session: Session,
    ctx: ServiceContext,
    actor: Actor,
    sitting_code: str,
    source: ComparisonSource,
    done: _Done,
) -> int:
    now = ctx.clock.now()
    counts = {f"{item}/{outcome}": count for (item, outcome), count in sorted(done.counts.items())}
    run = ComparisonRun(
        sitting_code=sitting_code,
        source=source.name,
        source_version=source.version,
        file_sha256=source.digest,
        compared_at=now,
        actor=actor.username,
        counts=counts,
    )
    session.add(run)
    session.flush()
    if done.superseded:
        session.connection().execute(
            update(_RESULTS).where(_RESULTS.c.id == bindparam("of")).values(superseded_by=run.id),
            [{"of": number} for number in done.superseded],
        )
    session.execute(insert(_RESULTS), [{**row, "run_id": run.id, "compared_at": now} for row in done.rows])
    details = {
        "run": run.id,
        "source": source.name,
        "file_sha256": source.digest,
        "unchanged": done.unchanged,
        "counts": counts,
    }
    subject = f"sitting:{sitting_code}"
    record_event(session, ctx.clock, actor, "registration.compare", subject, clause="R3", details=details)
    return run.id
