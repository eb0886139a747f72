"""200,000 changed PDFs, QR texts and status lists against the public check: `make fuzz`.

Counted: a crash is anything raised that is not the documented refusal, a hang is a case over ten seconds, wrongly
valid is an answer that a forged thing may not get. Every case is made from its own seed, so each can be made again:
`python -m tests.hostile.fuzz --only pdf:123`.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.hostile.arsenal import Arsenal
from tests.hostile.pdf_mutations import mutated
from tests.hostile.spread import Case, Finding, findings, judge, spread
from tests.hostile.text_mutations import changed_list, changed_qr
from verifier.record.qr import QrGrammarError, parse_qr
from verifier.record.status_list import StatusListError, verify_status_list
from verifier.record.verdict import Verdict

SHARES = {"pdf": 0.30, "qr": 0.45, "list": 0.25}
SEED = "2024-25"


def run_case(arsenal: Arsenal, kind: str, number: int) -> str:
    """`ok`, `hang`, `crash: …` or `wrongly valid`."""
    chance = random.Random(f"{SEED}.{kind}.{number}")
    if kind == "pdf":
        pdf = mutated(chance, arsenal.pdfs)
        return judge(lambda: arsenal.believes(pdf))
    if kind == "qr":
        text = changed_qr(chance, arsenal)
        return judge(lambda: arsenal.checker.check_qr(text).verdict is Verdict.VALID and not _same_qr(arsenal, text))
    token = changed_list(chance, arsenal)
    return judge(lambda: _list_believed(arsenal, token))


def _list_believed(arsenal: Arsenal, token: bytes) -> bool:
    try:
        verify_status_list(token, arsenal.world.key_set, list_id="1", now=arsenal.world.clock.now())
    except StatusListError:
        return False
    return True


def _same_qr(arsenal: Arsenal, text: str) -> bool:
    """Whether the text says no more than one of ours: its token, alone or with its own payload, in either case."""
    try:
        read = parse_qr(text)
    except QrGrammarError:
        return False
    ours = [parse_qr(one) for one in arsenal.qr_texts]
    return any(read.token == one.token and read.payload in (None, one.payload) for one in ours)


def work(folder: Path, cases: list[Case]) -> list[Finding]:
    """One piece in a process of its own."""
    arsenal = Arsenal.open(folder)
    return findings(cases, lambda kind, number: run_case(arsenal, kind, number))


def cases_of(count: int) -> list[Case]:
    """Kinds by their shares, mixed."""
    cases = [(kind, number) for kind, share in SHARES.items() for number in range(round(count * share))]
    random.Random(SEED).shuffle(cases)
    return cases


def main() -> None:
    """Run and print; the last line is JSON; exit 1 when anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--only", help="one case again, as kind:number")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecert-fuzz-") as name:
        arsenal = Arsenal.build(Path(name))
        arsenal.assert_genuine_is_valid()
        if asked.only:
            kind, number = asked.only.split(":")
            print(run_case(arsenal, kind, int(number)))
            return
        arsenal.world.close()
        started = time.monotonic()
        bad = spread(work, Path(name), cases_of(asked.cases), asked.processes)
    for kind, number, outcome in bad[:20]:
        print(f"{kind}:{number} {outcome}")
    counted = Counter(outcome.split(":")[0] for *_, outcome in bad)
    print(f"{asked.cases:,} cases in {time.monotonic() - started:.0f} s")
    result = {"cases": asked.cases, "crashes": counted["crash"], "hangs": counted["hang"]}
    print(json.dumps(result | {"wrongly_valid": counted["wrongly valid"]}))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
