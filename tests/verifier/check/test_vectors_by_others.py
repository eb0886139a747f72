"""Signed and attacked PDFs made by others, from the folder that ECERT_VECTORS names: none is ours, none is valid."""

import csv
import os
from pathlib import Path

from tests.factories.world import World
from verifier.check.findings import DocumentFindings
from verifier.check.sandbox import Sandbox

_ACCEPTED = {
    "tampered": {"altered"},
    "untrusted": {"untrusted"},
    "malformed": {"malformed"},
    "unsigned": {"untrusted", "malformed"},
    # Valid under somebody else's authority is untrusted here.
    "valid": {"untrusted"},
}


def _codes(found: DocumentFindings) -> set[str]:
    return {check.code for check in found.checks}


def test_no_vector_is_valid(issued_world: World) -> None:
    folder = Path(os.environ.get("ECERT_VECTORS") or os.devnull)
    index = folder / "index.csv"
    rows = list(csv.DictReader(index.read_text(encoding="utf-8").splitlines())) if index.is_file() else []
    sandbox = Sandbox(workers=1)
    wrong = []
    for row in rows:
        pdf = (folder / row["file"]).read_bytes()
        found = sandbox(pdf, issued_world.key_set, now=issued_world.clock.now())
        accepted = set().union(*(_ACCEPTED[word] for word in row["accepted_verdicts"].split("|")))
        if found.failure is None or found.failure.value not in accepted or "input-exhausting" in _codes(found):
            wrong.append((row["file"], found.failure, row["accepted_verdicts"]))
        answer = issued_world.checker().check_pdf(pdf)
        if answer.verdict is not found.failure:
            wrong.append((row["file"], answer.verdict, "by the register"))
    sandbox.close()
    assert not wrong
