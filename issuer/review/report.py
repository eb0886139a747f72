"""What a decision file did."""

from dataclasses import dataclass
from typing import Any

from issuer.roster.findings import Finding
from issuer.rules.terms import ReviewRound


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """What a decision file did. `moved` counts by finding; every row is moved, unchanged, or has a finding."""

    sitting_code: str
    round: ReviewRound
    rows: int
    moved: dict[str, int]
    unchanged: int
    findings: tuple[Finding, ...]
    dry_run: bool

    @property
    def refused(self) -> int:
        """Rows that did not go through."""
        return len({finding.row for finding in self.findings if finding.level == "error"})

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "sitting": self.sitting_code,
            "round": self.round,
            "rows": self.rows,
            "moved": self.moved,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "dry_run": self.dry_run,
            "findings": [finding.to_json() for finding in self.findings],
        }
