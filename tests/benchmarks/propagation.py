"""How soon an invalidation is on every path of every verifier, and whether any answer is older: `make propagation`.

PostgreSQL, Redis, an issuer process and three verifier processes as in production. Certificates are invalidated one
after another by the issuer's own service while every path of every verifier is asked again and again. A time runs
from the moment the second person approves until the last path has said so. From then on every answer `valid` counts
as stale, until the end of the run: others go on asking for all that is invalid. Redis is stopped and started again in
the middle.

An upload costs a twentieth of a second of work and a number may be looked up ten times a minute, so these two are
asked when the approver is told that it is done, and then ever more rarely; the others all the time.
"""

import argparse
import hashlib
import http.client
import json
import multiprocessing
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from issuer.clock import SimulatedClock
from issuer.invalidation.service import approve, propose
from keys.public.keyset import KeySet
from tests.benchmarks.rivals import verifier
from tests.factories.world import APPROVER, PROPOSER, World
from tests.services.postgres import postgres_server
from tests.services.redis_server import RedisServer
from verifier.record.status import CertificateStatus
from verifier.record.status_list import verify_status_list

VERIFIERS = 3
GIVE_UP_SECONDS = 200.0
LATER_ANSWERS = 150
ANSWERS_WITHIN = 400.0
_HTML = "text/html,*/*;q=0.8"
_PAUSE = {"token": 0.02, "page": 0.02, "digest": 0.02, "status list": 0.02, "upload": 0.1, "lookup": 0.1}
"""Seconds between two questions; those of `_WHEN_DONE` double each time."""
_WHEN_DONE = {"upload": 50, "lookup": 3}
"""Asked first when the approver is told that it is done; how often at most."""


@dataclass(frozen=True)
class Held:
    """One certificate as an employer may have it."""

    token: str
    management_no: str
    name: str
    pdf: bytes
    list_id: str
    list_index: int
    proposal: int

    @property
    def sha256(self) -> str:
        """Digest of the file."""
        return hashlib.sha256(self.pdf).hexdigest()


@dataclass
class Outcome:
    """What a run found. `seconds`: of each invalidation; `stale`: answers that came too late; `answers`: all read."""

    seconds: list[float] = field(default_factory=list)
    approvals: list["Approval"] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    answers: int = 0
    _told: threading.Condition = field(default_factory=threading.Condition)

    def note(self, said: str, way: str) -> None:
        """Count an answer about a certificate that is invalid everywhere."""
        with self._told:
            self.answers += 1
            if said == "valid":
                self.stale.append(way)
            self._told.notify_all()

    def wait_for(self, more: int) -> None:
        """Until so many more answers have come; raises RuntimeError when they do not."""
        with self._told:
            until = self.answers + more
            if not self._told.wait_for(lambda: self.answers >= until, ANSWERS_WITHIN):
                raise RuntimeError("the verifiers have ceased to answer")

    def to_json(self) -> dict[str, float]:
        """The last line of the command."""
        ordered = sorted(self.seconds)
        late = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        return {
            "p99_ms": round(late * 1000, 1),
            "stale": len(self.stale),
            "revocations": len(ordered),
            "median_ms": round(statistics.median(ordered) * 1000, 1),
            "approve_median_ms": round(statistics.median(one.seconds for one in self.approvals) * 1000, 1),
            "approve_cpu_ms": round(statistics.median(one.cpu for one in self.approvals) * 1000, 1),
        }


@dataclass(frozen=True)
class Approval:
    """One approval as its own process saw it: when it began (machine's monotonic clock), how long, how much work."""

    began: float
    seconds: float
    cpu: float


class Office:
    """The issuer in a process of its own, which approves when asked. Use as a context manager."""

    def __init__(self, world: World) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        place = (world.folder, world.clock.now(), world.database_url)
        self._process = spawn.Process(target=_office, args=(theirs, *place), daemon=True)

    def __enter__(self) -> "Office":
        self._process.start()
        self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join(60)

    def approve(self, proposal: int) -> Approval:
        """Have a proposal approved; returns when the approver would be told that it is done."""
        self._pipe.send(proposal)
        found: Approval = self._pipe.recv()
        return found


def _office(pipe: Connection, folder: Path, now: datetime, url: str | None) -> None:
    world = World(folder, SimulatedClock(now), database_url=url)
    # As a server that has been up for a while: keys and connections are open.
    world.ctx.room()
    world.ctx.publish()
    pipe.send(None)
    while (proposal := pipe.recv()) is not None:
        began, spent = time.monotonic(), time.process_time()
        approve(world.ctx, APPROVER, proposal)
        pipe.send(Approval(began, time.monotonic() - began, time.process_time() - spent))
    world.close()


class Asker:
    """Asks one verifier over one connection. Not for several threads."""

    def __init__(self, base: str, keys: KeySet, world_base: str) -> None:
        self._to = urlsplit(base).netloc
        self._host = urlsplit(world_base).netloc
        self._keys, self._world_base = keys, world_base
        self._connection = http.client.HTTPConnection(self._to, timeout=120)
        self.ways: dict[str, Callable[[Held], str]] = {
            "token": lambda held: self._json("GET", f"/api/v1/certificates/{held.token}"),
            "page": self._page,
            "digest": lambda held: self._json("GET", f"/api/v1/files/{held.sha256}"),
            "lookup": self._lookup,
            "upload": lambda held: self._json("POST", "/api/v1/check", held.pdf, "application/pdf"),
            "status list": self._list,
        }

    def _send(self, method: str, path: str, body: bytes | None = None, kind: str = "", accept: str = "*/*") -> bytes:
        # Everybody comes from another address, as employers do; one address may not ask this often.
        address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
        fields = {"Host": self._host, "Accept": accept, "X-Forwarded-For": address}
        if kind:
            fields["Content-Type"] = kind
        try:
            self._connection.request(method, path, body, fields)
            answer = self._connection.getresponse()
            text = answer.read()
        except (http.client.HTTPException, OSError):
            self._connection.close()
            raise
        if answer.status not in (200, 429, 503):
            raise RuntimeError(f"{path.split('/')[1]}: unexpected status {answer.status}")
        return text

    def _json(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> str:
        return str(json.loads(self._send(method, path, body, kind)).get("verdict", "no answer"))

    def _lookup(self, held: Held) -> str:
        asked = json.dumps({"management_no": held.management_no, "name": held.name}).encode()
        return self._json("POST", "/api/v1/lookup", asked, "application/json")

    def _page(self, held: Held) -> str:
        page = self._send("GET", f"/v/{held.token}", accept=_HTML).decode()
        return page.split('data-verdict="')[1].split('"')[0]

    def _list(self, held: Held) -> str:
        token = self._send("GET", f"/status-lists/{held.list_id}", accept="application/statuslist+jwt")
        listed = verify_status_list(
            token, self._keys, list_id=held.list_id, now=datetime.now(UTC), base_url=self._world_base
        )
        return CertificateStatus.from_list_value(listed.statuses.get(held.list_index)).value


def run(folder: Path, revocations: int, on_progress: Callable[[str], None] = lambda _: None) -> Outcome:
    """Build a world with that many certificates, invalidate them all, and watch."""
    server = postgres_server()
    url = server.new_database()
    world = World.eligible(folder / "data", people=revocations, database_url=url)
    # The verifiers go by the machine's clock, and a list holds for a day.
    world.catch_up()
    world.issue(workers=2)
    held = held_of(world)
    on_progress(f"{len(held)} certificates issued")
    outcome = Outcome()
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        bases = [stack.enter_context(verifier_of(world, url, redis))[0] for _ in range(VERIFIERS)]
        office = stack.enter_context(Office(world))
        crowd = stack.enter_context(_crowd(bases, world, outcome))
        for number, one in enumerate(held):
            if number == len(held) // 3:
                redis.stop()
                on_progress("Redis stopped")
            if number == 2 * len(held) // 3:
                redis.start()
                on_progress("Redis started again")
            outcome.seconds.append(_invalidate(world, office, bases, one, outcome))
            crowd.append(one)
            on_progress(f"invalid everywhere after {outcome.seconds[-1] * 1000:.0f} ms")
        # What is said when all is done counts too: some moments more for every verifier.
        outcome.wait_for(max(LATER_ANSWERS, 50 * revocations))
    world.close()
    server.drop_database(url)
    return outcome


def _invalidate(world: World, office: Office, bases: list[str], one: Held, outcome: Outcome) -> float:
    """Approve the invalidation of a certificate and wait for every path of every verifier; the seconds it took."""
    seen: dict[tuple[str, str], float] = {}
    failed: list[str] = []
    ways = list(_asker(bases[0], world).ways)
    ready, done = threading.Barrier(len(bases) * len(ways) + 1), threading.Event()

    def poll(base: str, way: str) -> None:
        ask, asked = _asker(base, world).ways[way], 0
        pause, limit = _PAUSE[way], _WHEN_DONE.get(way, 10_000)
        # A number may be looked up ten times a minute, at all verifiers together: none is spent on asking before.
        if way != "lookup" and (before := _first_said(ask, one)) != "valid":
            failed.append(f"{way} said {before} before")
        ready.wait(200)
        if way in _WHEN_DONE:
            done.wait(200)
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until and asked < limit:
            asked += 1
            if ask(one) == "invalid":
                seen[base, way] = time.monotonic()
                # Having said it once, it must say it again.
                for _ in range(min(3, limit - asked)):
                    outcome.note(ask(one), way)
                return
            time.sleep(pause)
            if way in _WHEN_DONE:
                pause *= 2

    threads = [threading.Thread(target=poll, args=(base, way)) for base in bases for way in ways]
    for thread in threads:
        thread.start()
    ready.wait(200)
    try:
        approval = office.approve(one.proposal)
    finally:
        done.set()
    for thread in threads:
        thread.join()
    outcome.approvals.append(approval)
    missing = {way for base in bases for way in ways if (base, way) not in seen}
    if failed or missing:
        raise RuntimeError(f"never said so: {sorted(missing)}; {'; '.join(failed)}")
    return max(seen.values()) - approval.began


def _first_said(ask: Callable[[Held], str], one: Held) -> str:
    """The first answer that is one: just started, on a busy machine, a verifier may be too slow for its limits."""
    until = time.monotonic() + GIVE_UP_SECONDS
    while (said := ask(one)) in ("status_unknown", "no answer") and time.monotonic() < until:
        time.sleep(0.1)
    return said


@contextmanager
def _crowd(bases: list[str], world: World, outcome: Outcome) -> Iterator[list[Held]]:
    """Load on every verifier, asking for what is invalid everywhere already; yields the list to put that into."""
    gone: list[Held] = []
    over = threading.Event()

    def ask(base: str, source: random.Random) -> None:
        ways = _asker(base, world).ways
        while not over.is_set():
            known = list(gone)
            if not known:
                time.sleep(0.01)
                continue
            way = source.choice(("token", "token", "digest", "page", "status list"))
            outcome.note(ways[way](source.choice(known)), f"{way}, later")

    threads = [threading.Thread(target=ask, args=(base, random.Random(n))) for n, base in enumerate(bases)]
    for thread in threads:
        thread.start()
    try:
        yield gone
    finally:
        over.set()
        for thread in threads:
            thread.join()


def held_of(world: World) -> list[Held]:
    """Every certificate of a world, each with a proposal to invalidate it."""
    people = {person.id: person for person in world.registrations()}
    return [
        Held(
            token=row.token,
            management_no=row.management_no,
            name=people[row.registration_id].name,
            pdf=world.pdf(row),
            list_id=row.list_id or "",
            list_index=row.list_index or 0,
            proposal=propose(world.ctx, PROPOSER, row.management_no, "R9", "示例：监督检查结论。"),
        )
        for row in world.certificates()
    ]


def _asker(base: str, world: World) -> Asker:
    return Asker(base, world.key_set, world.settings.verify_base_url)


@contextmanager
def verifier_of(world: World, url: str, redis: RedisServer) -> Iterator[tuple[str, int]]:
    """A verifier process over PostgreSQL and Redis; its address and process number."""
    own = world.settings.verify_base_url
    more = {"ECERT_REDIS_URL": redis.url, "ECERT_TRUSTED_PROXIES": '["127.0.0.1/32"]', "ECERT_CHECK_WORKERS": "1"}
    with verifier(world.folder, register=url, core=None, ECERT_VERIFY_BASE_URL=own, **more) as (base, pid):
        yield base, pid


def main() -> None:
    """Run and print; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--revocations", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecert-propagation-") as folder:
        outcome = run(Path(folder), asked.revocations, lambda text: print(text, file=sys.stderr, flush=True))
    _say = f"{outcome.answers} later answers, median {statistics.median(outcome.seconds) * 1000:.0f} ms"
    print(_say, *outcome.stale, sep="\n", file=sys.stderr)
    print(json.dumps(outcome.to_json()))


if __name__ == "__main__":
    main()
