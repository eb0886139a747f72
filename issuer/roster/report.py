"""What an import did, for the sender and for programs."""

from dataclasses import dataclass, field
from typing import Any

from issuer.errors import Words
from issuer.roster.findings import Finding


@dataclass(frozen=True, slots=True)
class RosterReport:
    """Counts of rows and all findings.

    rows = imported + updated + unchanged + rejected. `findings` are in file order; only those of level
    "error" kept a row out. remarks: what concerns the file as a whole. import_id is None for a dry run and
    for a file that changed nothing.
    """

    sitting_code: str
    file_name: str
    file_sha256: str
    dry_run: bool
    rows: int
    imported: int
    updated: int
    unchanged: int
    rejected: int
    findings: tuple[Finding, ...]
    remarks: tuple[Words, ...] = ()
    import_id: int | None = None
    sheet: str = ""
    header_row: int = 1
    ignored_columns: tuple[str, ...] = field(default=())
    subjects: tuple[str, ...] = field(default=())
    """Heads of the score columns, in the sitting's order."""

    @property
    def rejected_rows(self) -> frozenset[int]:
        """Row numbers that were kept out."""
        return frozenset(finding.row for finding in self.findings if finding.level == "error")

    def counts(self) -> dict[str, int]:
        """Rows, imported, updated, unchanged, rejected."""
        return {
            "rows": self.rows,
            "imported": self.imported,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
        }

    def to_json(self) -> dict[str, Any]:
        """The report as the API and `--json` give it."""
        return {
            "sitting": self.sitting_code,
            "file": self.file_name,
            "file_sha256": self.file_sha256,
            "dry_run": self.dry_run,
            "import_id": self.import_id,
            "sheet": self.sheet,
            "header_row": self.header_row,
            "ignored_columns": list(self.ignored_columns),
            **self.counts(),
            "remarks": [{"message": words.zh, "message_en": words.en} for words in self.remarks],
            "findings": [finding.to_json() for finding in self.findings],
        }
