"""What a register's file did, for its sender: counts, findings, and the file back with a verdict on every row."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

from issuer.access.actor import Actor
from issuer.ports import ServiceContext
from issuer.registration.comparing import Comparison, compare_sitting
from issuer.registration.source_file import FileSource, open_source
from issuer.roster.columns import ANNOTATION_HEADS
from issuer.roster.findings import Finding
from issuer.rules.comparison import ComparisonOutcome, FactItem
from issuer.words import say_in_both

RESULT_HEADS = {FactItem.EDUCATION: "学历结论", FactItem.MAJOR: "专业结论", FactItem.YEARS: "工作年限结论"}
NOT_HERE = "不在本考次 not in this sitting"
_MAX_TEXT = 32_000


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """One file compared. `rows` in the file; `elsewhere`: about nobody of this sitting; findings kept rows out."""

    comparison: Comparison
    source_version: str
    file_sha256: str
    rows: int
    elsewhere: int
    findings: tuple[Finding, ...]
    dry_run: bool
    source: FileSource

    @property
    def refused(self) -> int:
        """Rows that were kept out."""
        return len({finding.row for finding in self.findings})

    def outcomes(self) -> dict[str, dict[str, int]]:
        """How everybody the file speaks of stands by it: item → outcome → people."""
        counted = Counter((item, outcome) for (_, item), outcome in self.comparison.outcome_of.items())
        out: dict[str, dict[str, int]] = {}
        for (item, outcome), count in sorted(counted.items()):
            out.setdefault(item.value, {})[outcome.value] = count
        return out

    def to_json(self) -> dict[str, Any]:
        """The report for programs."""
        done = self.comparison
        return {
            "sitting": done.sitting,
            "source": done.source,
            "source_version": self.source_version,
            "file_sha256": self.file_sha256,
            "dry_run": self.dry_run,
            "run_id": done.run_id,
            "people": done.asked,
            "rows": self.rows,
            "elsewhere": self.elsewhere,
            "refused": self.refused,
            "new": sum(done.new.values()),
            "unchanged": done.unchanged,
            "undeclared": done.undeclared,
            "outcomes": self.outcomes(),
            "findings": [finding.to_json() for finding in self.findings],
        }


def compare_file(
    ctx: ServiceContext,
    actor: Actor,
    sitting_code: str,
    source_name: str,
    content: Path,
    *,
    version: str = "",
    complete: bool = False,
    dry_run: bool = False,
) -> ComparisonReport:
    """Compare a sitting with a register's file; good rows count, bad ones come back as findings.

    version: what day or release the register's data is of (default: today). complete: the file speaks for everybody,
    so who is not in it is not found. The same file twice changes nothing.
    Raises what `open_source` and `compare_sitting` raise.
    """
    source = open_source(content, source_name, version=version or ctx.clock.today().isoformat(), complete=complete)
    done = compare_sitting(ctx, actor, sitting_code, source, dry_run=dry_run)
    return ComparisonReport(
        comparison=done,
        source_version=source.version,
        file_sha256=source.digest,
        rows=len(source.cells),
        elsewhere=source.elsewhere,
        findings=tuple(sorted(source.findings, key=lambda finding: finding.row)),
        dry_run=dry_run,
        source=source,
    )


def annotated_file(report: ComparisonReport, out: Path) -> int:
    """The sender's rows as .xlsx at `out`, all cells text, with what each came to; how many. Personal data."""
    source, done = report.source, report.comparison
    findings: dict[int, list[Finding]] = {}
    for finding in report.findings:
        findings.setdefault(finding.row, []).append(finding)
    book = xlsxwriter.Workbook(str(out), {"constant_memory": True, "strings_to_formulas": False})
    with book:
        sheet = book.add_worksheet("比对结果")
        bold, bad = book.add_format({"bold": True}), book.add_format({"bg_color": "#FFE0B2", "text_wrap": True})
        good, plain = book.add_format({"bg_color": "#E6F2E9"}), book.add_format()
        verdicts = [RESULT_HEADS[item] for item in done.items]
        kept = [index for index, head in enumerate(source.heads) if head not in (*verdicts, *ANNOTATION_HEADS)]
        for column, head in enumerate([*(source.heads[i] for i in kept), *verdicts, *ANNOTATION_HEADS]):
            sheet.write_string(0, column, head, bold)
        sheet.set_column(0, len(kept) + len(verdicts) - 1, 20)
        sheet.set_column(len(kept) + len(verdicts), len(kept) + len(verdicts) + 1, 46)
        sheet.freeze_panes(1, 0)
        for line, (number, cells) in enumerate(source.cells, 1):
            for column, index in enumerate(kept):
                if index < len(cells) and cells[index]:
                    sheet.write_string(line, column, cells[index][:_MAX_TEXT])
            registration = source.placed.get(number)
            for column, item in enumerate(done.items, len(kept)):
                outcome = done.outcome_of.get((registration, item)) if registration is not None else None
                if outcome is not None:
                    word = say_in_both("comparison", outcome)
                    style = good if outcome is ComparisonOutcome.MATCH else bad
                    sheet.write_string(line, column, f"{word.zh} {word.en}", style)
            column = len(kept) + len(verdicts)
            faults = findings.get(number, [])
            if faults:
                texts = ["；".join(f"{each.message.zh}（{each.message.en}）" for each in faults)]
                texts.append("；".join(f"{each.remedy.zh}（{each.remedy.en}）" for each in faults))
                for at, text in enumerate(texts):
                    sheet.write_string(line, column + at, text, bad)
            elif registration is None:
                sheet.write_string(line, column, NOT_HERE, plain)
    return len(source.cells)
