"""Ten thousand honest certificates, all kinds of names, through the whole check: `make honest`.

The other half of an attack set: a check that refuses a genuine file harms its holder. Each file is issued as any
other (page, seal, timestamp, register), checked by its bytes, by its digest and by its QR code, and a share in the
sandboxed process; none may be anything but valid. The checks run in `--workers` processes and tell how far they are.
"""

import argparse
import hashlib
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from issuer.clock import SimulatedClock
from tests.factories.candidates import Candidate, invent
from tests.factories.world import World
from verifier.check.sandbox import Sandbox
from verifier.record.verdict import Verdict

SANDBOXED_EVERY = 25
PIECE = 100
"""Certificates a process checks before it says so."""
_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘"
_GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲志建红宇浩然梓涵子轩雨泽思琪佳怡睿晨欣妍诺依一"
_RARE = ((0x3400, 0x4DB5), (0x20000, 0x2A6D6), (0x2A700, 0x2B734), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0))
_LATIN = ("SMITH JOHN", "O'BRIEN MARY ANNE", "MÜLLER JÖRG", "NGUYEN VAN AN", "LEE-CHEN AMY", "IVANOVA ANNA")
_DOTTED = ("阿卜杜热依木·买买提明", "古丽娜尔·吐尔逊", "次仁·多吉", "巴特尔·乌兰", "迪丽热巴·迪力木拉提")


def candidates(count: int, seed: int = 1) -> tuple[Candidate, ...]:
    """Invented people: common, double, rare, dotted and Latin names."""
    chance = random.Random(seed)
    return tuple(replace(person, name=_name(chance)) for person in invent(count))


def _name(chance: random.Random) -> str:
    kind = chance.random()
    common = chance.choice(_FAMILY) + "".join(chance.choices(_GIVEN, k=chance.choice((1, 2, 2, 2, 3))))
    if kind < 0.70:
        return common
    if kind < 0.85:
        low, high = chance.choice(_RARE)
        return common[:1] + chr(chance.randint(low, high)) + common[1:2]
    return chance.choice(_DOTTED) if kind < 0.95 else chance.choice(_LATIN)


def refused(world: World, numbers: Sequence[str] | None = None) -> list[str]:
    """What was not found valid, each with its way and verdict; empty when all is well. `numbers`: only these."""
    checker, bad = world.checker(), []
    keys, now = world.key_set, world.clock.now()
    sandbox = Sandbox(workers=1, waiting=0)
    certificates = world.certificates() if numbers is None else [world.certificate(number) for number in numbers]
    try:
        for number, certificate in enumerate(certificates):
            pdf = world.pdf(certificate)
            answers = {
                "file": checker.check_pdf(pdf),
                "digest": checker.check_file_digest(hashlib.sha256(pdf).hexdigest()),
                "qr": checker.check_qr(world.qr_text(certificate)),
            }
            bad += [
                f"{way} {answer.verdict}" for way, answer in answers.items() if answer.verdict is not Verdict.VALID
            ]
            if number % SANDBOXED_EVERY == 0 and not sandbox(pdf, keys, now=now).ok:
                bad.append("sandbox")
    finally:
        sandbox.close()
    return bad


def refused_by_many(
    world: World, processes: int, on_progress: Callable[[int, int, float], None] = lambda *_: None
) -> list[str]:
    """As `refused`, in that many fresh processes; told after each piece: checked, refused, seconds."""
    numbers = [certificate.management_no for certificate in world.certificates()]
    now, folder = world.clock.now(), world.folder
    world.close()
    bad: list[str] = []
    started, checked = time.monotonic(), 0
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pieces = [(folder, now, numbers[at : at + PIECE]) for at in range(0, len(numbers), PIECE)]
        for count, found in pool.imap_unordered(_piece, pieces):
            bad += found
            checked += count
            on_progress(checked, len(bad), time.monotonic() - started)
    return bad


def _piece(asked: tuple[Path, datetime, list[str]]) -> tuple[int, list[str]]:
    folder, now, numbers = asked
    world = World(folder, SimulatedClock(now))
    try:
        return len(numbers), refused(world, numbers)
    finally:
        world.close()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Issue, check, print; the last line is JSON; exit 1 when a genuine file was refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecert-honest-") as name:
        started = time.monotonic()
        world = World.eligible(Path(name) / "data", candidates(asked.files))
        _say(f"{asked.files:,} people found eligible in {time.monotonic() - started:.0f} s; issuing")
        begun = time.monotonic()
        report = world.issue(asked.workers)
        _say(f"{report.published:,} issued in {time.monotonic() - begun:.0f} s, {len(report.refused)} not")
        bad = refused_by_many(
            world,
            asked.workers,
            lambda done, wrong, seconds: _say(
                f"{done:,} of {report.published:,} checked, {wrong} refused, {seconds:.0f} s"
            ),
        )
        _say(f"all done after {time.monotonic() - started:.0f} s; {dict(Counter(bad))}")
    print(json.dumps({"files": report.published, "not_issued": len(report.refused), "refused": len(bad)}))
    sys.exit(1 if bad or report.published < asked.files else 0)


if __name__ == "__main__":
    main()
