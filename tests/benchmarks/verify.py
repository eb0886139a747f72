"""How fast the public checks are, beside nginx handing out a file of the same size: `make bench-verify`.

One core for the server and one for wrk with 64 connections; every request asks for another certificate, at random out
of all. PostgreSQL and Redis, which in production have machines of their own, run on wrk's core and go before it
(run as root, which may say so). The page is asked for as browsers do, compressed; `page_plain` is without that. Rates
depend on the machine and on who else uses it, so nginx is measured just before each of ours, and the shares' median
counts.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.large_register import LargeRegister, build, write_keys
from tests.benchmarks.rivals import LOAD_CORE, Measured, body_of, nginx, peak_mib, require_programs, verifier, wrk
from tests.services.postgres import postgres_server
from tests.services.redis_server import RedisServer

SMALL = 20_000


def main() -> None:
    """Build, measure, and print; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    require_programs()
    with tempfile.TemporaryDirectory(prefix="ecert-bench-") as folder:
        _measure(Path(folder), asked.records, asked.seconds, asked.rounds)


def _measure(folder: Path, records: int, seconds: int, rounds: int) -> None:
    server = postgres_server()
    _bind(server.pid, LOAD_CORE)
    _say(f"building {records:,} records, in SQLite and in PostgreSQL")
    small = build(folder / "small", min(SMALL, records))
    lite = build(folder / "lite", records)
    pg = build(folder / "pg", records, postgres=server.new_database())
    for built in (small, lite, pg):
        write_keys(built.tokens.parent)
    with (
        RedisServer() as redis,
        verifier(small.tokens.parent, register=small.url) as (small_base, _),
        verifier(lite.tokens.parent, register=lite.url) as (lite_base, lite_pid),
        verifier(pg.tokens.parent, register=pg.url, ECERT_REDIS_URL=redis.url) as (pg_base, pg_pid),
    ):
        _bind(redis.pid, LOAD_CORE)
        size = len(body_of(lite_base + _path("certificates") + lite.tokens.read_text()[:26]))
        with nginx(folder / "nginx", size) as static:
            runs: dict[str, list[tuple[float, Measured]]] = defaultdict(list)
            asked: dict[str, Callable[[], Measured]] = {
                "status_sqlite": lambda: _ask(lite_base, lite, seconds),
                "small": lambda: _ask(small_base, small, seconds),
                "status_pg": lambda: _ask(pg_base, pg, seconds),
                "digest": lambda: _ask(lite_base, lite, seconds, "files"),
                "digest_pg": lambda: _ask(pg_base, pg, seconds, "files"),
                "page": lambda: _ask(lite_base, lite, seconds, "page", "Accept-Encoding: gzip"),
                "page_plain": lambda: _ask(lite_base, lite, seconds, "page"),
            }
            for ask in asked.values():
                # Unmeasured: a server that has run for a while has met every content and its register lies in memory.
                for _ in range(3):
                    ask()
            for number in range(rounds):
                for name, ask in asked.items():
                    rival = wrk(static, seconds)
                    measured = ask()
                    runs["nginx"].append((1.0, rival))
                    runs[name].append((measured.rate / rival.rate, measured))
                    _say(
                        f"round {number + 1}  {name:<14}{measured.rate:9,.0f}/s  p99 {measured.p99_ms:6.1f} ms"
                        f"  nginx just before {rival.rate:9,.0f}/s  p99 {rival.p99_ms:6.1f} ms"
                    )
        memory = max(peak_mib(lite_pid), peak_mib(pg_pid))
    shares = {name: statistics.median(share for share, _ in found) for name, found in runs.items()}
    growth = statistics.median(
        large.rate / little.rate for (_, large), (_, little) in zip(runs["status_sqlite"], runs["small"], strict=True)
    )
    late = max(statistics.median(one.p99_ms for _, one in runs[name]) for name in ("status_sqlite", "status_pg"))
    _say(f"shares of nginx: {', '.join(f'{name} {share:.2f}' for name, share in shares.items())}")
    print(
        json.dumps(
            {
                "nginx_rps": round(statistics.median(one.rate for _, one in runs["nginx"])),
                "status_sqlite": round(shares["status_sqlite"], 3),
                "status_pg": round(shares["status_pg"], 3),
                "page": round(shares["page"], 3),
                "page_plain": round(shares["page_plain"], 3),
                "digest": round(shares["digest"], 3),
                "growth": round(growth, 3),
                "p99_ms": round(late, 1),
                "peak_mib": round(memory, 1),
            }
        )
    )


def _ask(base: str, register: LargeRegister, seconds: int, what: str = "certificates", *fields: str) -> Measured:
    keys, width = (register.digests, 64) if what == "files" else (register.tokens, 26)
    return wrk(base, seconds, _path(what), str(keys), str(width), fields=fields)


def _path(what: str) -> str:
    return "/v/" if what == "page" else f"/api/v1/{what}/"


def _bind(pid: int, core: int) -> None:
    """On this core and before others there; what it starts later inherits both."""
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(pid, {core})
    if os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, pid, -10)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
