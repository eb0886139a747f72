"""The time service goes away in the middle of a batch: nothing is lost, nothing is half done, and it says why."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from issuer.errors import UnavailableError
from issuer.issuance.batches import open_batch, resume_batch, state_of
from issuer.issuance.chunk import issue_chunk
from issuer.issuance.requests import request_batch
from issuer.issuance.service import preview_issue
from issuer.jobs.embedded import EmbeddedJobs
from issuer.records.certificates import BatchItem
from issuer.sealing.remote_time import RemoteTimestamps
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.purposes import KeyPurpose
from tests.factories.world import PROPOSER, World
from verifier.record.verdict import Verdict


class _Service:
    """An RFC 3161 service on a free port that gives so many tokens and then none, until told otherwise."""

    def __init__(self, authority: TimestampAuthority) -> None:
        self.left = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = self.rfile.read(int(self.headers["Content-Length"]))
                service.left -= 1
                gives = service.left >= 0
                body = authority.answer(request) if gives else b"out of order"
                self.send_response(200 if gives else 503)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()


@pytest.fixture
def served(eligible_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, _Service]]:
    """A world that asks a service for the time; it is impatient, and leaves a dead one alone for no time at all."""
    signer = eligible_world.ctx.room().signer(KeyPurpose.TIMESTAMP)
    service = _Service(TimestampAuthority(signer, eligible_world.clock.now))
    eligible_world.close()
    monkeypatch.setenv("ECERT_TSA_URL", f"http://127.0.0.1:{service.server.server_port}/tsa")
    defaults = RemoteTimestamps.__init__.__kwdefaults__
    assert defaults is not None
    for name, value in {"timeout": 30.0, "patience": 0.3, "rest": 0.0}.items():
        monkeypatch.setitem(defaults, name, value)
    yield eligible_world, service
    service.server.shutdown()
    service.server.server_close()
    service.thread.join()


def _items(world: World, batch: int) -> list[tuple[str, str | None]]:
    with world.ctx.database.read() as session:
        query = select(BatchItem.result, BatchItem.code).where(BatchItem.batch_id == batch)
        return [(result, code) for result, code in session.execute(query)]


def _wait_for_the_engine(world: World) -> None:
    """The embedded engine has one thread: what is handed to it is done when what is handed to it after is."""
    jobs = world.ctx.jobs
    assert isinstance(jobs, EmbeddedJobs)
    jobs._executor.submit(int).result(timeout=60)


def _hold_to_the_end(world: World) -> None:
    """Everybody has one certificate, with its record and its file, and every seal is known."""
    rows = world.certificates()
    assert len(rows) == len({row.registration_id for row in rows}) == len(world.people)
    checker = world.checker()
    for row in rows:
        assert checker.check_pdf(world.pdf(row)).verdict is Verdict.VALID
    assert world.certificates("draft") == []
    files = [name for name in world.ctx.storage.list("certificates") if name.endswith(".pdf")]
    assert len(files) == len(rows)


def test_a_dead_service_pauses_the_batch_which_goes_on_from_there(served: tuple[World, _Service]) -> None:
    world, service = served
    service.left = 1 + 2 * 3  # to learn the length, then three whole certificates
    batch = request_batch(world.ctx, PROPOSER, world.sitting)
    _wait_for_the_engine(world)
    assert state_of(world.ctx, batch) == "paused"
    found = _items(world, batch)
    assert found.count(("published", None)) == 3
    assert found.count(("waiting", "timestamp-unavailable")) == len(world.people) - 3
    service.left = 1000
    resume_batch(world.ctx, PROPOSER, batch)
    _wait_for_the_engine(world)
    assert state_of(world.ctx, batch) == "done"
    assert set(_items(world, batch)) == {("published", None)}
    _hold_to_the_end(world)


def test_the_command_says_why_and_goes_on_when_it_is_run_again(served: tuple[World, _Service]) -> None:
    world, service = served
    service.left = 1 + 2 * 3
    with pytest.raises(UnavailableError) as caught:
        world.issue()
    assert caught.value.code == "timestamp-unavailable"
    assert "HTTP 503" in caught.value.words.en
    assert len(world.certificates()) == 3
    service.left = 1000
    assert world.issue().published == len(world.people) - 3
    _hold_to_the_end(world)


def test_a_chunk_is_tried_again_and_says_meanwhile_what_it_waits_for(served: tuple[World, _Service]) -> None:
    world, service = served
    service.left = 1 + 2 * 2 + 1  # the third certificate gets its first timestamp and not its second
    batch = open_batch(world.ctx, PROPOSER, preview_issue(world.ctx, PROPOSER, world.sitting))
    people = [row.id for row in world.registrations()]
    with pytest.raises(UnavailableError):
        issue_chunk(world.ctx, batch, people)
    assert state_of(world.ctx, batch) == "running"
    found = _items(world, batch)
    assert found.count(("published", None)) == 2
    assert found.count(("waiting", "timestamp-unavailable")) == 3  # FAULTS_PER_CHUNK
    service.left = 1000
    issue_chunk(world.ctx, batch, people)
    assert state_of(world.ctx, batch) == "done"
    _hold_to_the_end(world)
