"""Each part a verifier rests on taken away in turn, under load: `make outages`.

A verifier process over PostgreSQL and Redis, half of its certificates invalid. In every outage all paths are asked,
thousands of times. Wrong is `valid` for what is invalid, or `valid` by any path that needs the register while the
register cannot be reached. Afterwards everything must be right again without a restart of the verifier.
"""

import argparse
import contextlib
import http.client
import json
import math
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from issuer.invalidation.service import approve
from keys.public.keyset import KeySet
from tests.benchmarks.propagation import Asker, Held, held_of, verifier_of
from tests.benchmarks.rivals import children
from tests.factories.world import APPROVER, World
from tests.services.postgres import PostgresServer
from tests.services.redis_server import RedisServer
from verifier.record.status_list import StatusListError

ASKERS = 4
OUTAGE_SECONDS = 60
"""No outage is asked for longer, however slow its answers."""
RECOVERS_WITHIN = 200.0
_WAYS = {"token": 8, "digest": 6, "page": 4, "status list": 3, "upload": 1, "lookup": 1}
"""Ways to ask and how often each is taken."""
_WITHOUT_REGISTER = frozenset({"status list"})
"""A signed list says what was so when it was signed, and until when that may be relied on."""


@dataclass
class Site:
    """What runs, and which certificates are known to be invalid (`gone`) or valid (`good`)."""

    world: World
    server: PostgresServer
    redis: RedisServer
    base: str
    pid: int
    keys: KeySet
    good: list[Held]
    gone: list[Held]

    def asker(self) -> Asker:
        """A fresh connection."""
        return Asker(self.base, self.keys, self.world.settings.verify_base_url)


@dataclass
class Tally:
    """What was answered: `said` counts way and verdict, `wrong` says what may never be said."""

    said: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@contextmanager
def _nothing(_: Site) -> Iterator[None]:
    yield


@contextmanager
def _register_stopped(site: Site) -> Iterator[None]:
    site.server.halt()
    try:
        yield
    finally:
        site.server.start()


@contextmanager
def _register_frozen(site: Site) -> Iterator[None]:
    """Connections stay open and nobody answers."""
    frozen = [site.server.pid]
    try:
        # The first process stands still first, so that it makes no more; of the others some end by themselves.
        os.kill(site.server.pid, signal.SIGSTOP)
        frozen += children(site.server.pid)
        for pid in frozen[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def _connections_cut(site: Site) -> Iterator[None]:
    with _again_and_again(lambda: _cut(site)):
        yield


@contextmanager
def _redis_stopped(site: Site) -> Iterator[None]:
    """While it is away somebody becomes ineligible: no cache may go on saying otherwise."""
    site.redis.stop()
    held = site.good.pop()
    approve(site.world.ctx, APPROVER, held.proposal)
    _await(lambda: site.asker().ways["token"](held) == "invalid")
    site.gone.append(held)
    try:
        yield
    finally:
        site.redis.start()


@contextmanager
def _redis_frozen(site: Site) -> Iterator[None]:
    os.kill(site.redis.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(site.redis.pid, signal.SIGCONT)


@contextmanager
def _inspectors_killed(site: Site) -> Iterator[None]:
    """The processes that look into uploads, again and again."""
    with _again_and_again(lambda: _kill_inspectors(site.pid)):
        yield


@contextmanager
def _keys_missing(site: Site) -> Iterator[None]:
    place = site.world.settings.keys_dir
    away = place.with_name("keys-away")
    place.rename(away)
    try:
        yield
    finally:
        away.rename(place)


# The frozen register answers so late that its share of the questions is not asked in time: it comes first, and the
# others take over what it leaves.
OUTAGES: dict[str, Callable[[Site], "contextlib.AbstractContextManager[None]"]] = {
    "register frozen": _register_frozen,
    "nothing": _nothing,
    "register stopped": _register_stopped,
    "connections cut": _connections_cut,
    "Redis stopped": _redis_stopped,
    "Redis frozen": _redis_frozen,
    "inspectors killed": _inspectors_killed,
    "key folder missing": _keys_missing,
}
_NO_REGISTER = frozenset({"register stopped", "register frozen"})


def run(folder: Path, requests: int, on_progress: Callable[[str], None] = lambda _: None) -> dict[str, Tally]:
    """All outages one after another over one site; raises RuntimeError when the site does not recover."""
    server = PostgresServer()
    url = server.new_database()
    world = World.eligible(folder / "data", people=12, database_url=url)
    # The verifier goes by the machine's clock, and a list holds for a day.
    world.catch_up()
    tallies: dict[str, Tally] = {}
    try:
        world.issue()
        held = held_of(world)
        for one in held[:6]:
            approve(world.ctx, APPROVER, one.proposal)
        with ExitStack() as stack:
            redis = stack.enter_context(RedisServer())
            base, pid = stack.enter_context(verifier_of(world, url, redis))
            site = Site(world, server, redis, base, pid, world.key_set, good=held[6:], gone=held[:6])
            for name, outage in OUTAGES.items():
                left = requests - sum(sum(tally.said.values()) for tally in tallies.values())
                share = math.ceil(left / (len(OUTAGES) - len(tallies)))
                with outage(site):
                    tallies[name] = _ask_all(site, share, needs_register=name not in _NO_REGISTER)
                seconds = _await(lambda: _all_right(site))
                said = dict(sorted(tallies[name].said.items()))
                on_progress(f"{name}: {said}, {len(tallies[name].wrong)} wrong, right again after {seconds:.1f} s")
    finally:
        world.close()
        server.stop()
    return tallies


def _ask_all(site: Site, requests: int, *, needs_register: bool) -> Tally:
    tally, lock = Tally(), threading.Lock()

    def ask(number: int) -> None:
        chance, asker = random.Random(f"{number}.{requests}"), site.asker()
        until = time.monotonic() + OUTAGE_SECONDS
        for _ in range(math.ceil(requests / ASKERS)):
            way = chance.choices(list(_WAYS), list(_WAYS.values()))[0]
            invalid = chance.random() < 0.6
            one = chance.choice(site.gone if invalid else site.good)
            said = _say(asker, way, one)
            wrong = said == "valid" and (invalid or not (needs_register or way in _WITHOUT_REGISTER))
            with lock:
                tally.said[said] += 1
                if wrong:
                    tally.wrong.append(way)
            if time.monotonic() > until:
                return

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(ASKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def _say(asker: Asker, way: str, one: Held) -> str:
    try:
        return asker.ways[way](one)
    except (OSError, http.client.HTTPException, RuntimeError, ValueError, IndexError, StatusListError):
        return "no verdict"


def _all_right(site: Site) -> bool:
    """Whether every way says of one valid and one invalid certificate what is so; a limit reached says nothing."""
    asker = site.asker()
    for way in _WAYS:
        if way == "lookup":
            continue
        if _say(asker, way, site.good[0]) != "valid" or _say(asker, way, site.gone[0]) != "invalid":
            return False
    return True


def _await(true: Callable[[], bool]) -> float:
    start = time.monotonic()
    while not true():
        if time.monotonic() - start > RECOVERS_WITHIN:
            raise RuntimeError("not right again without help")
        time.sleep(0.05)
    return time.monotonic() - start


@contextmanager
def _again_and_again(act: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def loop() -> None:
        while not over.wait(0.05):
            act()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _cut(site: Site) -> None:
    with psycopg.connect(host="127.0.0.1", port=site.server.port, user="postgres", dbname="postgres") as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def _kill_inspectors(pid: int) -> None:
    for child in children(pid):
        with contextlib.suppress(OSError):
            if b"sandbox_worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)


def main() -> None:
    """Run and print; the last line is JSON; exit 1 when anything was wrongly valid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=12_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecert-outages-") as folder:
        tallies = run(Path(folder), asked.requests, lambda text: print(text, file=sys.stderr, flush=True))
    answers = sum(sum(tally.said.values()) for tally in tallies.values())
    wrong = sum(len(tally.wrong) for tally in tallies.values())
    print(json.dumps({"requests": answers, "outages": len(tallies) - 1, "wrongly_valid": wrong}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
