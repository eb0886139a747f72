"""Every byte of one of our files changed in turn, and files appended to, cut and spliced: `make mutations`.

None may be valid, neither for the whole check nor for the file alone; a share also goes through the sandboxed
process that checks uploads.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.hostile.arsenal import Arsenal
from tests.hostile.pdf_mutations import mutated
from tests.hostile.spread import Case, Finding, findings, judge, spread
from verifier.check.sandbox import Sandbox

KINDS = ("append", "cut", "splice", "tail", "objects")
SANDBOXED_EVERY = 40


def run_case(arsenal: Arsenal, sandbox: Sandbox, kind: str, number: int) -> str:
    """`byte`: byte `number` of the first file with one bit changed; else a mutation of that kind."""
    chance = random.Random(f"mutations.{kind}.{number}")
    if kind == "byte":
        changed = bytearray(arsenal.pdfs[0])
        changed[number] ^= 1 << chance.randrange(8)
        pdf = bytes(changed)
    else:
        pdf = mutated(chance, arsenal.pdfs, (kind,))
    return judge(lambda: _believed(arsenal, sandbox, pdf, number))


def _believed(arsenal: Arsenal, sandbox: Sandbox, pdf: bytes, number: int) -> bool:
    if arsenal.believes(pdf):
        return True
    keys, now = arsenal.world.key_set, arsenal.world.clock.now()
    return number % SANDBOXED_EVERY == 0 and sandbox(pdf, keys, now=now).ok


def work(folder: Path, cases: list[Case]) -> list[Finding]:
    """One piece in a process of its own."""
    arsenal = Arsenal.open(folder)
    sandbox = Sandbox(workers=1, waiting=0)
    try:
        return findings(cases, lambda kind, number: run_case(arsenal, sandbox, kind, number))
    finally:
        sandbox.close()


def main() -> None:
    """Run and print; the last line is JSON; exit 1 when anything was valid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="change only every Nth byte")
    parser.add_argument("--each", type=int, default=4_000, help="mutations of each other kind")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecert-mutations-") as name:
        arsenal = Arsenal.build(Path(name))
        arsenal.assert_genuine_is_valid()
        size = len(arsenal.pdfs[0])
        arsenal.world.close()
        cases: list[Case] = [("byte", at) for at in range(0, size, asked.every)]
        cases += [(kind, number) for kind in KINDS for number in range(asked.each)]
        random.Random(1).shuffle(cases)
        started = time.monotonic()
        bad = spread(work, Path(name), cases, asked.processes)
    for kind, number, outcome in bad[:20]:
        print(f"{kind}:{number} {outcome}")
    print(f"a file of {size:,} bytes, {len(cases):,} mutations in {time.monotonic() - started:.0f} s")
    print(json.dumps({"mutations": len(cases), "valid": len(bad)}))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
