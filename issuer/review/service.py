"""The review's use cases in one place: decisions in, rounds by the calendar, objections and defences (R4–R8)."""

from issuer.review.decisions import apply_decisions, decide_all_eligible
from issuer.review.progress import SittingProgress, export_template, sitting_progress
from issuer.review.report import DecisionReport
from issuer.review.rounds import (
    RoundReport,
    close_first_round,
    lapse_supplementary,
    open_notice,
    open_supplementary,
)
from issuer.review.statements import Candidate, decide_defence, file_defence, raise_objection, resolve_objection
from issuer.review.taking_back import OwnFinding, own_findings, take_back_finding

__all__ = [
    "Candidate",
    "DecisionReport",
    "OwnFinding",
    "RoundReport",
    "SittingProgress",
    "apply_decisions",
    "close_first_round",
    "decide_all_eligible",
    "decide_defence",
    "export_template",
    "file_defence",
    "lapse_supplementary",
    "open_notice",
    "open_supplementary",
    "own_findings",
    "raise_objection",
    "resolve_objection",
    "sitting_progress",
    "take_back_finding",
]
