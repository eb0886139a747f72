"""Two witnesses in processes of their own: they cosign what is published, and stop an installation that forgot."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from issuer.errors import InputError
from issuer.publication.fork_guard import LogWouldForkError
from issuer.publication.relay import Relay
from issuer.publication.witnesses import read_witnesses
from tests.factories.feed import BASE_URL, Feed, open_feed, token_of
from tests.factories.web_server import free_port, until_it_answers
from verifier.audit.auditor import Wishes, audit
from verifier.audit.memory import Memory
from verifier.audit.sources import RegisterSource
from verifier.check.checker import Checker
from verifier.check.log_check import proof_at_hand, with_log
from verifier.record.log_reading import origin_of, verify_checkpoint
from verifier.record.status import CertificateStatus
from verifier.record.witnessing import Witness, cosignatures

ORIGIN = origin_of(BASE_URL)
ROOT = Path(__file__).parents[3]


@contextmanager
def _running(folder: Path, name: str, keys: Path) -> Iterator[Witness]:
    """`ecert-verify witness` as a process, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "verifier.cli", "witness", "--state", str(folder), "--name", name]
    command += ["--origin", ORIGIN, "--keys", str(keys), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        vkey = process.stdout.readline().strip()
        url = f"http://127.0.0.1:{port}"
        until_it_answers(f"{url}/checkpoint", process, 120)  # type: ignore[arg-type]
        yield Witness.parse(f"{url} {vkey}")
    finally:
        process.terminate()
        assert process.wait(20) == 0


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Feed, Path]]:
    """A feed, whose bench gives the log its keys, and the published key set as a file."""
    folder = tmp_path_factory.mktemp("witnessed")
    feed = open_feed(f"sqlite:///{folder / 'issuer.sqlite3'}", f"sqlite:///{folder / 'register.sqlite3'}")
    keys = folder / "ecert-keys.json"
    keys.write_text(json.dumps(feed.bench.key_set.to_json()))
    yield feed, keys
    feed.close()


@pytest.fixture(scope="module")
def witnesses(keyed: tuple[Feed, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Witness, ...]]:
    """Two of them."""
    folder = tmp_path_factory.mktemp("witnesses")
    with (
        _running(folder / "one", "witness.example/one", keyed[1]) as one,
        _running(folder / "two", "witness.example/two", keyed[1]) as two,
    ):
        yield one, two


def _relay(feed: Feed, witnesses: tuple[Witness, ...]) -> Relay:
    engine = feed.relay._register
    return Relay(feed.database, engine, lambda: feed.bench, feed.clock, base_url=BASE_URL, witnesses=witnesses)


def test_witnesses_cosign_growth_and_stop_a_log_that_forgot(
    keyed: tuple[Feed, Path], witnesses: tuple[Witness, ...], tmp_path: Path
) -> None:
    feed, keys = keyed
    relay = _relay(feed, witnesses)
    feed.publish(*range(5))
    relay.flush()
    assert relay.cosign() == 2
    assert relay.cosign() == 2, "asked once, counted again"
    stored = feed.register.latest_checkpoint()
    assert stored is not None
    assert set(cosignatures(stored.signed_note, witnesses)) == {one.name for one in witnesses}
    assert verify_checkpoint(stored.signed_note, feed.bench.key_set, origin=ORIGIN).tree_size == 5
    checker = Checker(feed.register, lambda: feed.bench.key_set, bytes(32), feed.clock.now, (BASE_URL,))
    shown = with_log(
        checker.check_token(token_of(3)),
        lambda token: proof_at_hand(feed.register, token),
        feed.bench.key_set,
        witnesses=witnesses,
    )
    assert shown.extra["log"]["cosignatures"] == 2
    assert "2 个见证方联署" in shown.checks[-1].message and "2 witnesses" in shown.checks[-1].message_en
    wishes = Wishes(now=feed.clock.now, witnesses=witnesses)
    report = audit(RegisterSource(feed.register, keys), Memory(), wishes).report
    assert (report.agrees, report.cosignatures) == (True, 2)

    # A backup of both databases, then one more event, published and witnessed.
    shutil.copytree(keys.parent, tmp_path / "backup")
    feed.change(3, 1, CertificateStatus.INVALID)
    relay.flush()
    assert relay.cosign() == 2
    assert httpx.get(f"{witnesses[0].url}/checkpoint").text.split("\n")[1] == "6"

    # The backup restored where nothing else is remembered: its first act is stopped before anything is written.
    old = open_feed(
        f"sqlite:///{tmp_path / 'backup' / 'issuer.sqlite3'}",
        f"sqlite:///{tmp_path / 'backup' / 'register.sqlite3'}",
        bench=feed.bench,
    )
    forgetful = _relay(old, witnesses)
    old.publish(77)
    for act in (forgetful.flush, forgetful.refresh_lists, forgetful.cosign):
        with pytest.raises(LogWouldForkError, match="remembers a log of 6"):
            act()
    newest = old.register.latest_checkpoint()
    assert newest is not None and newest.tree_size == 5
    assert old.register.by_token(token_of(77)) is None

    # Without asking, it goes its own way past the witnesses: they refuse it, and then it stops.
    unguarded = _relay(old, ())
    unguarded.flush()
    old.publish(78, 79)
    unguarded.flush()
    with pytest.raises(LogWouldForkError):
        _relay(old, witnesses).cosign()
    old.close()


def test_a_witness_that_cannot_be_reached_holds_nothing_up(
    keyed: tuple[Feed, Path], witnesses: tuple[Witness, ...]
) -> None:
    feed = keyed[0]
    gone = Witness(witnesses[1].name, witnesses[1].public_key, f"http://127.0.0.1:{free_port()}")
    relay = _relay(feed, (witnesses[0], gone))
    feed.publish(50)
    assert relay.flush() == 1
    assert relay.cosign() == 1


def test_a_signature_that_is_not_the_witnesss_own_is_not_kept(
    keyed: tuple[Feed, Path], witnesses: tuple[Witness, ...]
) -> None:
    """Its key is another than the setting says: what it answers is ignored."""
    feed = keyed[0]
    wrong = Witness(witnesses[0].name, witnesses[1].public_key, witnesses[0].url)
    feed.publish(51)
    relay = _relay(feed, (wrong,))
    relay.flush()
    assert relay.cosign() == 0
    stored = feed.register.latest_checkpoint()
    assert stored is not None and stored.signed_note.count("— ") == 1


def test_the_setting_is_read_strictly(witnesses: tuple[Witness, ...]) -> None:
    assert read_witnesses((f"{witnesses[0].url} {witnesses[0].vkey}",)) == (witnesses[0],)
    for text in (witnesses[0].vkey, "http://w.example", ""):
        with pytest.raises(InputError):
            read_witnesses((text,))
