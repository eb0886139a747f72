"""One million guesses at the look-up by number and name: how many hit, and whether the answers tell anything.

    python -m tests.benchmarks.guesses [--guesses N] [--http N] [--records N]

A register of RECORDS certificates whose numbers run on, as real ones do. A quarter of the guesses each: a right
number with a wrong name, a wrong number with a right name, the next numbers with a common name, a right number with a
name one character off. They go to the very function that answers (`Checker.check_number`), without the limits that
would stop them after a few; a sample goes over HTTP, from as many addresses as that takes. Then the limits: the same
guesses from one address. Times of kinds that are all refused are compared: medians must not tell them apart.
Last line: {"guesses", "hits", "http", "http_hits", "bodies", "time_ratio", "limited_after"}.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from verifier.web.app import app_over, open_desk

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰"
KINDS = ("wrong name", "wrong number", "enumerated", "one character off")


def people(register: PublicRegister, count: int, draw: random.Random) -> list[tuple[str, str]]:
    """Publish `count` certificates; their numbers and names."""
    known = []
    for _ in range(count):
        name = draw.choice(SURNAMES) + "".join(draw.choices(GIVEN, k=draw.choice((1, 2))))
        known.append((register.publish(name=name).claims.management_no, name))
    return known


def guesses(known: list[tuple[str, str]], count: int, draw: random.Random) -> Iterator[tuple[str, str, str]]:
    """Kind, number and name; never a pair that is right."""
    right = set(known)
    last = max(int(number) for number, _ in known)
    made = 0
    while made < count:
        number, name = draw.choice(known)
        kind = KINDS[made % len(KINDS)]
        if kind == "wrong name":
            name = draw.choice(SURNAMES) + "".join(draw.choices(GIVEN, k=2))
        elif kind == "wrong number":
            number = str(int(number) + draw.randrange(1, 10**6) * 10**6)
        elif kind == "enumerated":
            number, name = str(last + 1 + made), draw.choice(known)[1]
        else:
            place = draw.randrange(len(name))
            name = name[:place] + draw.choice(GIVEN) + name[place + 1 :]
        if (number, name) not in right:
            made += 1
            yield kind, number, name


def ask_directly(
    register: PublicRegister, known: list[tuple[str, str]], count: int, draw: random.Random
) -> dict[str, float]:
    """Hits, and the ratio of the slowest kind's median time to the quickest's."""
    checker = open_desk(register.settings).checker
    hits = 0
    times: dict[str, list[int]] = {kind: [] for kind in KINDS}
    began = time.perf_counter()
    for number, (kind, management_no, name) in enumerate(guesses(known, count, draw)):
        start = time.perf_counter_ns()
        verdict = checker.check_number(management_no, name).verdict
        times[kind].append(time.perf_counter_ns() - start)
        hits += verdict != "not_found"
        if (number + 1) % 100_000 == 0:
            print(f"{number + 1:>9,} guesses, {hits} hits, {time.perf_counter() - began:.0f} s", flush=True)
    medians = {kind: statistics.median(values) for kind, values in times.items() if values}
    for kind, median in medians.items():
        print(f"{kind:>20}: median {median / 1000:.0f} µs")
    return {"guesses": count, "hits": hits, "time_ratio": round(max(medians.values()) / min(medians.values()), 3)}


def ask_over_http(
    register: PublicRegister, known: list[tuple[str, str]], count: int, draw: random.Random
) -> dict[str, float]:
    """Hits and distinct bodies (but for the time in them), when every guess comes from an address of its own."""
    settings = register.settings.model_copy(update={"trusted_proxies": ("127.0.0.0/8",)})
    bodies, hits = set(), 0
    with TestClient(app_over(open_desk(settings)), client=("127.0.0.1", 1)) as client:
        seen: dict[str, int] = {}
        for place, (_, management_no, name) in enumerate(guesses(known, count, draw)):
            if seen.get(management_no, 0) >= 10:
                continue
            seen[management_no] = seen.get(management_no, 0) + 1
            address = f"198.{18 + place // 65536}.{place // 256 % 256}.{place % 256}"
            answer = client.post(
                "/api/v1/lookup",
                json={"management_no": management_no, "name": name},
                headers={"X-Forwarded-For": address},
            )
            body = answer.json()
            hits += answer.status_code != 404
            body.pop("as_of", None)
            bodies.add(json.dumps(body, sort_keys=True))
    return {"http": sum(seen.values()), "http_hits": hits, "bodies": len(bodies)}


def limited_after(register: PublicRegister, known: list[tuple[str, str]], draw: random.Random) -> int:
    """After how many guesses one address is stopped."""
    with TestClient(app_over(open_desk(register.settings))) as client:
        for place, (_, management_no, name) in enumerate(guesses(known, 1000, draw)):
            answer = client.post("/api/v1/lookup", json={"management_no": management_no, "name": name})
            if answer.status_code == 429:
                return place
    raise AssertionError("nobody stopped a thousand guesses from one address")


def run(total: int, http: int, records: int, folder: Path) -> dict[str, float]:
    """Everything, on a register made under `folder`."""
    draw = random.Random(20261123)
    register = PublicRegister(folder / "public", base_url="http://testserver")
    known = people(register, records, draw)
    found: dict[str, float] = ask_directly(register, known, total, draw)
    found |= ask_over_http(register, known, http, draw)
    return found | {"limited_after": limited_after(register, known, draw)}


def main() -> int:
    """Exit 0 when nothing hit, all answers are one, and times do not tell kinds apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guesses", type=int, default=1_000_000)
    parser.add_argument("--http", type=int, default=5_000)
    parser.add_argument("--records", type=int, default=2_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="guesses-") as folder:
        found = run(given.guesses, given.http, given.records, Path(folder))
    print(json.dumps(found))
    good = found["hits"] == 0 and found["http_hits"] == 0 and found["bodies"] == 1 and found["time_ratio"] < 1.25
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
