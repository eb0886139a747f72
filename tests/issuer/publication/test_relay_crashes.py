"""The relay killed at every point between and inside its two transactions: nothing lost, nothing twice."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.factories.feed import Feed, open_feed, outbox, sample_record, token_of
from verifier.record import cbor
from verifier.record.log_reading import verify_checkpoint
from verifier.record.register import SqlRegister
from verifier.record.status import CertificateStatus

ROOT = Path(__file__).parents[3]


class PowerCut(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """Both sides on SQLite."""
    opened = open_feed(f"sqlite:///{tmp_path / 'issuer.sqlite3'}", f"sqlite:///{tmp_path / 'register.sqlite3'}")
    yield opened
    opened.close()


def cut_before(engine: Engine, beginning: str) -> Any:
    """Make `engine` fail just before the first statement that begins so; returns how to mend it."""

    def fail(_c: Any, _cursor: Any, statement: str, _p: Any, _ctx: Any, _many: bool) -> None:
        if statement.replace("main.", "").upper().startswith(beginning):
            raise PowerCut

    event.listen(engine, "before_cursor_execute", fail)
    return lambda: event.remove(engine, "before_cursor_execute", fail)


def in_log(feed: Feed) -> list[int]:
    """Numbers of the events in the log."""
    return [cbor.decode(leaf)[2] for leaf in feed.register.leaves(0, 10_000)]


def test_cut_between_the_two_transactions(feed: Feed) -> None:
    feed.publish(1, 2, 3)
    mend = cut_before(feed.database.engine, "UPDATE OUTBOX")
    with pytest.raises(PowerCut):
        feed.relay.flush()
    mend()
    assert feed.register.by_token(token_of(1)) == sample_record(1), "the register's transaction stands"
    assert feed.unmarked() == 3
    feed.publish(4)
    feed.change(1, 1, CertificateStatus.INVALID)
    assert feed.relay.flush() == 2
    assert in_log(feed) == [e.sequence for e in outbox(feed)]
    assert feed.unmarked() == 0


@pytest.mark.parametrize(
    "beginning",
    [
        "INSERT INTO CERTIFICATES",
        "INSERT INTO FILES",
        "INSERT INTO STATUS_CHANGES",
        "INSERT INTO STATUS_LISTS",
        "INSERT INTO LOG_LEAVES",
        "INSERT INTO LOG_CHECKPOINTS",
        "INSERT INTO FEED_POSITION",
    ],
)
def test_cut_inside_the_registers_transaction(feed: Feed, beginning: str) -> None:
    feed.publish(1, 2)
    mend = cut_before(feed.relay._register, beginning)
    with pytest.raises(PowerCut):
        feed.relay.flush()
    mend()
    assert feed.register.by_token(token_of(1)) is None
    assert feed.register.latest_checkpoint() is None
    assert feed.register.status_list("1") is None
    assert feed.relay.flush() == 2
    assert in_log(feed) == [1, 2]


def test_a_register_restored_from_an_older_copy_is_brought_up_again(feed: Feed, tmp_path: Path) -> None:
    feed.publish(1, 2)
    feed.relay.flush()
    feed.publish(3)
    feed.change(1, 1, CertificateStatus.INVALID)
    feed.relay.flush()
    whole = feed.register.latest_checkpoint()
    behind = open_feed(feed.issuer_url, f"sqlite:///{tmp_path / 'empty.sqlite3'}", bench=feed.bench)
    assert behind.relay.flush() == 0, "the outbox holds everything for public"
    assert behind.relay.rebuild() == 4
    assert behind.relay.rebuild() == 0
    again = behind.register.latest_checkpoint()
    assert whole is not None and again is not None
    assert (again.tree_size, again.root_hash) == (whole.tree_size, whole.root_hash), "the log is the same log"
    record = behind.register.by_token(token_of(1))
    assert record is not None
    assert record.status is CertificateStatus.INVALID
    behind.close()


_WORKER = """
    import sys
    from tests.factories.feed import open_feed
    from tests.factories.signing import Bench
    import issuer.publication.relay as relay
    relay.BATCH = 7
    feed = open_feed(sys.argv[1], sys.argv[2])
    print("ready", flush=True)
    feed.relay.flush()
"""


@pytest.mark.parametrize("moment", [0.005, 0.015, 0.03, 0.06])
def test_killed_by_the_system_while_flushing(feed: Feed, moment: float) -> None:
    feed.publish(*range(120))
    feed.change(0, 1, CertificateStatus.INVALID)
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_WORKER), feed.issuer_url, feed.register_url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    try:
        worker.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    feed.relay.flush()
    assert in_log(feed) == [e.sequence for e in outbox(feed)]
    assert feed.unmarked() == 0
    stored = feed.register.latest_checkpoint()
    assert stored is not None
    assert verify_checkpoint(stored.signed_note, feed.bench.key_set).tree_size == 121
    fresh = SqlRegister(feed.register_url)
    assert fresh.by_token(token_of(119)) == sample_record(119)
    fresh.close()
