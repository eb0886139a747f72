"""证明材料 (R3, R15): what is asked of whom and until when; what agreed or was given is never asked again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from issuer.rules.commitment import CommitmentStanding
from issuer.rules.comparison import ComparisonOutcome, ComparisonResult, FactItem
from issuer.rules.review import ReviewDates
from issuer.rules.terms import ApplicationBasis, ReviewOutcome
from issuer.rules.violation import RuleViolation


class MaterialKind(StrEnum):
    """What can be handed in as proof."""

    EDUCATION_CERTIFICATE = "education-certificate"
    """学历（学位）证书."""
    EDUCATION_REPORT = "education-report"
    """学历认证报告，包括国（境）外学历学位认证书."""
    EMPLOYMENT_PROOF = "employment-proof"
    """单位出具的工作年限证明."""
    SOCIAL_INSURANCE = "social-insurance"
    """社会保险缴费记录."""


DEFAULT_MATERIALS: Mapping[FactItem, MaterialKind] = MappingProxyType(
    {
        FactItem.EDUCATION: MaterialKind.EDUCATION_CERTIFICATE,
        FactItem.MAJOR: MaterialKind.EDUCATION_CERTIFICATE,
        FactItem.YEARS: MaterialKind.EMPLOYMENT_PROOF,
    }
)
"""Item → the one material that proves it; a certificate proves level and major, and is asked for once (R15)."""


class ItemState(StrEnum):
    """Where an item stands."""

    SETTLED = "settled"
    ASKED = "asked"
    WAITING = "waiting"
    """It still has to be compared: nothing is asked of the candidate."""


class Why(StrEnum):
    """Why an item is settled, asked or waiting."""

    COMPARED = "compared"
    KNOWN_COMPARED = "known-compared"
    """It agreed at an earlier sitting (R15)."""
    KNOWN_MATERIAL = "known-material"
    """A material was accepted for it at an earlier sitting (R15)."""
    ACCEPTED = "accepted"
    """A material of this sitting was accepted."""
    DIFFERS = "differs"
    NOT_FOUND = "not-found"
    ON_EVIDENCE = "on-evidence"
    """Registered without commitment (R3)."""
    NO_COMMITMENT = "no-commitment"
    """No commitment that counts (R2)."""
    NOT_COMPARED = "not-compared"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier sitting proved of the same declaration: by comparison or by an accepted material."""

    why: Why
    on: date
    sitting: str


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """All that counts for one item. `result` is `standing_result`; `accepted`: a material of this sitting was."""

    item: FactItem
    result: ComparisonResult | None = None
    compared_on: date | None = None
    known: tuple[Known, ...] = ()
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Where an item stands and why; `since`: the day it is asked from; `known`: what made asking needless."""

    item: FactItem
    state: ItemState
    why: Why
    since: date | None = None
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class AskedMaterial:
    """A material that is asked for, what it is to prove, why, and its last day (24:00 in Asia/Shanghai)."""

    kind: MaterialKind
    items: tuple[FactItem, ...]
    why: tuple[Why, ...]
    since: date
    due_on: date


def judge_item(
    facts: ItemFacts,
    *,
    basis: ApplicationBasis,
    commitment: CommitmentStanding,
    commitment_required: bool,
    registered_on: date,
    on: date,
    known_days: int,
) -> Judgement:
    """Where an item stands on the day `on`: data first, then what is held already, and only then a question (R15).

    A disagreement now outweighs what an earlier sitting found; ignorance does not. `known_days` is how long an
    earlier finding counts.
    """
    item, result = facts.item, facts.result
    outcome = result.outcome if result else None
    if outcome is ComparisonOutcome.MATCH:
        return Judgement(item, ItemState.SETTLED, Why.COMPARED)
    if facts.accepted:
        return Judgement(item, ItemState.SETTLED, Why.ACCEPTED)
    if outcome is ComparisonOutcome.DIFFERS:
        return Judgement(item, ItemState.ASKED, Why.DIFFERS, facts.compared_on or on)
    fresh = [known for known in facts.known if 0 <= (on - known.on).days <= known_days]
    if fresh:
        known = max(fresh, key=lambda each: each.on)
        return Judgement(item, ItemState.SETTLED, known.why, known=known)
    if outcome is ComparisonOutcome.NOT_FOUND:
        return Judgement(item, ItemState.ASKED, Why.NOT_FOUND, facts.compared_on or on)
    if basis is ApplicationBasis.EVIDENCE:
        return Judgement(item, ItemState.ASKED, Why.ON_EVIDENCE, registered_on)
    if commitment_required and commitment is not CommitmentStanding.STANDS:
        return Judgement(item, ItemState.ASKED, Why.NO_COMMITMENT, registered_on)
    waiting = Why.UNREACHABLE if outcome is ComparisonOutcome.UNREACHABLE else Why.NOT_COMPARED
    return Judgement(item, ItemState.WAITING, waiting)


def asked_materials(
    judgements: Iterable[Judgement],
    materials: Mapping[FactItem, MaterialKind],
    dates: ReviewDates,
    material_days: int,
) -> tuple[AskedMaterial, ...]:
    """Each material once, however many items it proves (R15), with the earliest of their days."""
    by_kind: dict[MaterialKind, list[Judgement]] = {}
    for judgement in judgements:
        if judgement.state is ItemState.ASKED:
            by_kind.setdefault(materials[judgement.item], []).append(judgement)
    asked = []
    for kind, group in by_kind.items():
        since = min(judgement.since or dates.results_released_on for judgement in group)
        why = tuple(dict.fromkeys(judgement.why for judgement in group))
        due = material_due_on(since, dates, material_days)
        asked.append(AskedMaterial(kind, tuple(judgement.item for judgement in group), why, since, due))
    return tuple(asked)


def material_due_on(since: date, dates: ReviewDates, material_days: int) -> date:
    """The last day to hand a material in: `material_days` after it was asked for, counted from score release at the
    earliest (R4: mainly after the examination), and never after the year's last review has closed (R7)."""
    begins = max(since, dates.results_released_on)
    return min(begins + timedelta(days=material_days), dates.supplementary_closes_on)


_OPEN = frozenset({ReviewOutcome.AWAITING, ReviewOutcome.CONDITIONS_PENDING, ReviewOutcome.DEFENCE_OPEN})
_CONTESTABLE = _OPEN | {ReviewOutcome.INELIGIBLE}


def require_upload_open(outcome: ReviewOutcome, dates: ReviewDates, on: date) -> None:
    """Raise RuleViolation (R7) when no material is taken any more.

    What comes after `material_due_on` is still taken, for the supplementary round or a defence; nothing is taken
    after the year's last review, nor for a review that is settled.
    """
    closes = dates.supplementary_closes_on
    if on > closes:
        raise RuleViolation(
            "R7",
            "materials-closed",
            found=(f"提交日期 {on}", f"handed in on {on}"),
            expected=(f"补充资格核查结束前（{closes} 24:00）", f"before the last review ends, 24:00 on {closes}"),
        )
    if outcome not in _CONTESTABLE:
        raise RuleViolation(
            "R7",
            "review-settled",
            found=("该考生的核查已有结论", "this candidate's review is settled"),
            expected=("核查未结束时提交材料", "materials while the review is open"),
        )


WITHOUT_MATERIALS = ("verified-otherwise", "originals-seen")
"""Reason codes that let somebody be found eligible although a material is still asked for (R3)."""


def require_complete(missing: int, waiting: int, reason_code: str | None) -> None:
    """Raise RuleViolation (R3) when somebody would be found eligible in silence although something is still open.

    missing: materials asked for and not handed in; waiting: items the policy wants compared first.
    """
    if reason_code in WITHOUT_MATERIALS or not (missing or waiting):
        return
    allowed_zh, allowed_en = "、".join(WITHOUT_MATERIALS), ", ".join(WITHOUT_MATERIALS)
    if missing:
        raise RuleViolation(
            "R3",
            "materials-open",
            found=("有应提交而未提交的证明材料", "a material that was asked for has not been handed in"),
            expected=(
                f"材料齐备，或注明原因代码（{allowed_zh}）",
                f"the materials, or a reason code ({allowed_en})",
            ),
        )
    raise RuleViolation(
        "R3",
        "comparison-open",
        found=("有事项尚未比对", "an item has not been compared"),
        expected=(
            f"比对完成，或注明原因代码（{allowed_zh}）",
            f"the comparison, or a reason code ({allowed_en})",
        ),
    )
