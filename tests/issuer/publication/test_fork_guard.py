"""A restored database must not publish a second history: older backups are recognised and nothing is signed."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer.backup import back_up, restore
from issuer.clock import SystemClock
from issuer.context import open_context
from issuer.doctor import examine
from issuer.publication.fork_guard import MEMORY_FILE, LogWouldForkError
from issuer.publication.relay import Relay
from tests.factories.feed import BASE_URL, Feed, open_feed, token_of
from tests.factories.world import APPROVER, PROPOSER, World
from verifier.record.log_reading import read_checkpoint
from verifier.record.status import CertificateStatus


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """Both sides on SQLite, with a memory beside them."""
    opened = open_feed(f"sqlite:///{tmp_path / 'issuer.sqlite3'}", f"sqlite:///{tmp_path / 'register.sqlite3'}")
    opened.relay = _relay(opened, tmp_path)
    yield opened
    opened.close()


def _relay(feed: Feed, folder: Path) -> Relay:
    engine = feed.relay._register
    return Relay(
        feed.database, engine, lambda: feed.bench, feed.clock, base_url=BASE_URL, memory=folder / MEMORY_FILE
    )


def _reopened(feed: Feed, folder: Path, **copies: Path) -> Feed:
    """The same installation after its files were replaced by copies."""
    feed.close()
    for name, copy in copies.items():
        for path in folder.glob(f"{name}.sqlite3*"):
            path.unlink()
        shutil.copy(copy, folder / f"{name}.sqlite3")
    again = open_feed(feed.issuer_url, feed.register_url, bench=feed.bench)
    again.relay = _relay(again, folder)
    return again


def _copy(folder: Path, name: str) -> Path:
    target = folder / f"{name}.copy"
    with sqlite3.connect(folder / f"{name}.sqlite3") as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    return target


def _size(feed: Feed) -> int:
    newest = feed.register.latest_checkpoint()
    return newest.tree_size if newest else 0


def test_what_was_published_is_remembered(feed: Feed, tmp_path: Path) -> None:
    for n in range(3):
        feed.publish(n)
        feed.relay.flush()
        assert read_checkpoint((tmp_path / MEMORY_FILE).read_text()).tree_size == n + 1


def test_both_databases_from_an_older_backup_publish_nothing(feed: Feed, tmp_path: Path) -> None:
    feed.publish(1, 2)
    feed.relay.flush()
    copies = {name: _copy(tmp_path, name) for name in ("issuer", "register")}
    feed.change(1, 1, CertificateStatus.INVALID)
    feed.relay.flush()
    assert _size(feed) == 3
    again = _reopened(feed, tmp_path, **copies)
    again.publish(3)
    for act in (again.relay.flush, again.relay.rebuild, again.relay.refresh_lists, again.relay.require_growth):
        with pytest.raises(LogWouldForkError) as refused:
            act()
        assert "published-checkpoint" in refused.value.remedy.en
    assert _size(again) == 2
    assert again.register.by_token(token_of(3)) is None
    assert again.unmarked() == 1, "the event is kept"
    again.close()


def test_an_older_register_grows_back_into_what_was_published(feed: Feed, tmp_path: Path) -> None:
    feed.publish(1, 2)
    feed.relay.flush()
    register = _copy(tmp_path, "register")
    for n in range(3, 9):
        feed.publish(n)
        feed.change(n, 1, CertificateStatus.INVALID)
        feed.relay.flush()
    before = feed.register.latest_checkpoint()
    again = _reopened(feed, tmp_path, register=register)
    with pytest.raises(LogWouldForkError):
        again.publish(20)
        again.relay.flush()
    assert again.relay.rebuild() == 12
    after = again.register.latest_checkpoint()
    assert before is not None and after is not None
    assert (after.tree_size, after.root_hash) == (before.tree_size, before.root_hash)
    assert again.relay.flush() == 1
    again.close()


def test_an_older_issuer_beside_the_register_publishes_nothing(feed: Feed, tmp_path: Path) -> None:
    """Its new events would bear the numbers of old ones and be taken for applied: lost without a word."""
    feed.publish(1)
    feed.relay.flush()
    issuer = _copy(tmp_path, "issuer")
    feed.publish(2)
    feed.publish(3)
    feed.relay.flush()
    again = _reopened(feed, tmp_path, issuer=issuer)
    again.publish(4)
    with pytest.raises(LogWouldForkError, match="older than the public record"):
        again.relay.flush()
    assert _size(again) == 3
    again.close()


def test_a_log_of_the_same_length_with_other_entries_is_refused(feed: Feed, tmp_path: Path) -> None:
    """Restored, its memory set aside, gone another way; then the memory is put back."""
    feed.publish(1)
    feed.relay.flush()
    copies = {name: _copy(tmp_path, name) for name in ("issuer", "register")}
    feed.publish(2)
    feed.relay.flush()
    (tmp_path / MEMORY_FILE).rename(tmp_path / "aside")
    again = _reopened(feed, tmp_path, **copies)
    again.publish(7)
    again.publish(8)
    again.relay.flush()
    assert _size(again) == 3
    (tmp_path / "aside").replace(tmp_path / MEMORY_FILE)
    again.publish(9)
    with pytest.raises(LogWouldForkError, match="not the one published"):
        again.relay.flush()
    assert _size(again) == 3
    again.close()


def test_a_memory_that_cannot_be_read_stops_publication(feed: Feed, tmp_path: Path) -> None:
    (tmp_path / MEMORY_FILE).write_text("something else")
    feed.publish(1)
    with pytest.raises(Exception, match="cannot be read"):
        feed.relay.flush()
    assert _size(feed) == 0


def test_a_crash_before_the_note_was_written_holds_nothing_up(
    feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    feed.publish(1)
    with monkeypatch.context() as patched:
        patched.setattr(feed.relay._guard, "remember", cut)
        with pytest.raises(PowerCut):
            feed.relay.flush()
    assert not (tmp_path / MEMORY_FILE).exists()
    feed.publish(2)
    assert feed.relay.flush() == 1
    assert feed.unmarked() == 0
    assert read_checkpoint((tmp_path / MEMORY_FILE).read_text()).tree_size == 2


def test_a_restored_folder_knows_with_the_memory_kept_elsewhere(world_copy: World, tmp_path: Path) -> None:
    """`ecert backup`, then a revocation, then `ecert restore` of the older backup beside the surviving memory."""
    from issuer.invalidation.service import approve, propose
    from issuer.rules.terms import InvalidationGround

    settings = world_copy.settings.model_copy(update={"log_memory": tmp_path / "elsewhere"})
    world_copy.close()
    ctx = open_context(settings, world_copy.clock)
    ctx.relay.flush()
    back_up(settings, SystemClock(), tmp_path / "backup.tar", "passphrase")
    number = world_copy.certificates()[0].management_no
    approve(ctx, APPROVER, propose(ctx, PROPOSER, number, InvalidationGround.FALSE_MATERIALS, "伪造材料"))
    ctx.close()
    restored = settings.model_copy(update={"data_dir": tmp_path / "restored"})
    restore(restored, tmp_path / "backup.tar", "passphrase")
    again = open_context(restored, world_copy.clock)
    assert not (tmp_path / "restored" / MEMORY_FILE).exists()
    with pytest.raises(LogWouldForkError):
        again.relay.rebuild()
    with pytest.raises(LogWouldForkError):
        again.relay.refresh_lists()
    found = next(one for one in examine(again) if one.name == "log")
    assert (found.ok, "旧" in found.zh, bool(found.remedy)) == (False, True, True)
    again.close()
    assert next(one for one in examine(world_copy.ctx) if one.name == "log").ok is True
