"""The misconduct record (R10): MOHRSS Order 31 of 2017, articles 7, 8, 10 and 12.

What the Order says, in our words: article 10 sends false materials and other improper means to article 7, under which
the conduct is recorded for five years; article 8 records organised cheating and impersonation for good (长期记录);
article 12 makes the records an important reference (重要参考) for issue and registration of certificates. The Order
bars nobody from an examination. Readings kept here as values: the five years run from the day the decision is
approved, by calendar date; and "reference" means that no certificate is made on its own while a record runs: an
approver looks at the record first and lets that one registration go on, or leaves it held.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from issuer.rules.deadlines import add_years
from issuer.rules.terms import InvalidationGround
from issuer.rules.violation import RuleViolation

CLAUSE = "R10"
RECORD_YEARS = 5
"""Order 31, article 7."""


class Term(StrEnum):
    """How long a record runs."""

    FIVE_YEARS = "five-years"
    """五年 (articles 10 and 7)."""
    LONG_TERM = "long-term"
    """长期 (article 8)."""


ARTICLES = {Term.FIVE_YEARS: "10,7,12", Term.LONG_TERM: "10,8,12"}
"""The articles a record of each term rests on."""


class RecordState(StrEnum):
    """Where a record stands on a day."""

    RUNNING = "running"
    EXPIRED = "expired"
    LIFTED = "lifted"
    """The case it came from was overturned."""


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """A record: its last day (None: long-term), whether it was lifted.

    `considered`: an approver looked at it for the registration in question and let that one go on.
    """

    ends_on: date | None
    lifted: bool = False
    considered: bool = False


def term_for(ground: InvalidationGround, wanted: Term | str | None) -> Term | None:
    """The term a case of this ground asks for: None under R9, five years under R10 unless long-term is asked for.

    Raises RuleViolation: no-misconduct (R9 knows no record), long-term-not-grounded (false materials are a matter of
    article 7 alone; organised cheating and impersonation are improper means), unknown-term.
    """
    if ground.clause != CLAUSE:
        if wanted:
            raise RuleViolation(
                "R9",
                "no-misconduct",
                found=("不符合报考条件不属于违纪违规", "ineligibility is no misconduct"),
                expected=("第一（三）条第二款的情形才记入诚信档案", "a record belongs to R10 only"),
            )
        return None
    if not wanted:
        return Term.FIVE_YEARS
    if wanted not in set(Term):
        raise RuleViolation(
            CLAUSE,
            "unknown-term",
            found=("没有这种记录期限", "no such term"),
            expected=("五年或长期", f"one of {', '.join(Term)}"),
        )
    if wanted == Term.LONG_TERM and ground is not InvalidationGround.IMPROPER_MEANS:
        raise RuleViolation(
            CLAUSE,
            "long-term-not-grounded",
            found=("提供虚假证明材料按第七条记录五年", "false materials are recorded for five years (article 7)"),
            expected=(
                "第八条情形（组织作弊、替考等）以其他不正当手段认定",
                "improper means, as in article 8",
            ),
        )
    return Term(wanted)


def ends_on(term: Term, recorded_on: date) -> date | None:
    """The last day a record runs; None when it runs for good."""
    return None if term is Term.LONG_TERM else add_years(recorded_on, RECORD_YEARS)


def state_on(facts: RecordFacts, today: date) -> RecordState:
    """Where a record stands on `today`; it runs until 24:00 of its last day."""
    if facts.lifted:
        return RecordState.LIFTED
    if facts.ends_on is not None and today > facts.ends_on:
        return RecordState.EXPIRED
    return RecordState.RUNNING


def may_lift(facts: RecordFacts, today: date) -> None:
    """Return if a record may be lifted by itself; raise RuleViolation record-not-running."""
    state = state_on(facts, today)
    if state is not RecordState.RUNNING:
        raise RuleViolation(
            CLAUSE,
            "record-not-running",
            found=(f"记录状态为 {state}", f"the record is {state}"),
            expected=("在期的记录", "a running record"),
        )


def require_no_record(records: tuple[RecordFacts, ...], today: date) -> None:
    """Raise RuleViolation (R10 misconduct-record) while a record runs that nobody has considered (article 12)."""
    for facts in records:
        if state_on(facts, today) is RecordState.RUNNING and not facts.considered:
            raise RuleViolation(
                CLAUSE,
                "misconduct-record",
                found=("该人员有在期的违纪违规记录", "a misconduct record of this person is running"),
                expected=(
                    "批准人员查阅记录后同意制发（人社部令第31号第十二条）",
                    "an approver looked at the record and let it go on (Order 31, article 12)",
                ),
            )
