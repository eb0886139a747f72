"""The same audit by public addresses alone: over HTTP, over a mirror of the files, while the register moves."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys.public.keyset import key_set_path
from tests.factories.feed import Feed, open_feed, token_of
from tests.factories.frauds import mirror
from tests.factories.web_server import free_port, served
from verifier.audit.auditor import Wishes, audit
from verifier.audit.memory import Memory
from verifier.audit.sources import CHECKPOINT, FolderSource, HttpSource, RegisterSource
from verifier.cli import run
from verifier.record.status import CertificateStatus


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    """Six hundred certificates, some with changes; three tiles of entries, a first node above them."""
    folder = tmp_path_factory.mktemp("served")
    opened = open_feed(f"sqlite:///{folder / 'issuer.sqlite3'}", f"sqlite:///{folder / 'register.sqlite3'}")
    keys = key_set_path(folder / "keys")
    keys.parent.mkdir(parents=True)
    keys.write_text(json.dumps(opened.bench.key_set.to_json()))
    (folder / "keys" / "lookup.key").write_bytes(bytes(32))
    opened.publish(*range(600))
    opened.relay.flush()
    for n in (3, 77, 401):
        opened.change(n, 1, CertificateStatus.INVALID)
    opened.relay.flush()
    yield opened
    opened.close()


def _folder(feed: Feed) -> Path:
    return Path(feed.register_url.removeprefix("sqlite:///")).parent


def _wishes(feed: Feed, held: tuple[str, ...] = ()) -> Wishes:
    return Wishes(now=feed.clock.now, held=held)


def test_by_http_alone(feed: Feed) -> None:
    held = tuple(token_of(n) for n in (0, 3, 255, 256, 599))
    with served(_folder(feed), address := f"http://127.0.0.1:{free_port()}"):
        source = HttpSource(address)
        report = audit(source, Memory(), _wishes(feed, held)).report
        assert (report.agrees, report.findings) == (True, ())
        assert (report.tree_size, report.lists, report.entries_set, report.tokens) == (603, 1, 3, 5)
        assert report.rows is None
        unknown = audit(source, Memory(), _wishes(feed, (token_of(9999),))).report
        assert [finding.code for finding in unknown.findings] == ["unknown-certificate"]
        # Whoever serves it now is asked by the program itself too; its lists are of 2025, and so past their time.
        assert run(["audit", "--server", address, "--memory", str(_folder(feed) / "memory")]) == 2


def test_by_a_mirror_of_the_files(feed: Feed, tmp_path: Path) -> None:
    source = RegisterSource(feed.register, key_set_path(_folder(feed) / "keys"))
    files = mirror(source, 603, ["1"], tmp_path / "mirror")
    assert audit(FolderSource(files), Memory(), _wishes(feed, (token_of(3),))).report.agrees is True
    shutil.copy(files / "log/tile/0/000", files / "log/tile/0/001")
    (files / "log/tile/entries/002.p").rename(files / "log/tile/entries/gone")
    report = audit(FolderSource(files), Memory(), _wishes(feed)).report
    assert [(finding.code, finding.where) for finding in report.findings if finding.code.startswith("tile")] == [
        ("tile-missing", "/log/tile/entries/002.p/91")
    ]
    (files / "log/tile/entries/gone").rename(files / "log/tile/entries/002.p")
    report = audit(FolderSource(files), Memory(), _wishes(feed)).report
    assert [(finding.code, finding.where) for finding in report.findings] == [("tile-wrong", "/log/tile/0/001")]


def test_a_mirror_gives_nothing_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "mirror").mkdir()
    assert FolderSource(tmp_path / "mirror").get("/../secret") is None


class _Moving:
    """A source whose register gains events while it is read."""

    answers_about_one = True

    def __init__(self, source: RegisterSource, feed: Feed) -> None:
        self._source = source
        self._feed = feed
        self.moves = 0

    def get(self, path: str) -> bytes | None:
        """See `Source`."""
        if path == "/status-lists" and self.moves < 2:
            self.moves += 1
            self._feed.change(10 + self.moves, 1, CertificateStatus.SUSPENDED)
            self._feed.relay.flush()
        return self._source.get(path)


def test_a_register_that_moves_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    feed = open_feed(f"sqlite:///{tmp_path / 'issuer.sqlite3'}", f"sqlite:///{tmp_path / 'register.sqlite3'}")
    keys = tmp_path / "ecert-keys.json"
    keys.write_text(json.dumps(feed.bench.key_set.to_json()))
    feed.publish(*range(20))
    feed.relay.flush()
    moving = _Moving(RegisterSource(feed.register, keys), feed)
    report = audit(moving, Memory(), _wishes(feed)).report
    feed.close()
    assert moving.moves == 2
    assert (report.agrees, report.tree_size, report.entries_set) == (True, 22, 2)


def test_the_checkpoint_of_another_log_is_not_taken_for_the_remembered_one(feed: Feed) -> None:
    source = RegisterSource(feed.register, key_set_path(_folder(feed) / "keys"))
    report = audit(source, Memory(origin="other.example/log"), _wishes(feed)).report
    assert [finding.code for finding in report.findings] == ["checkpoint-untrusted"]
    assert source.get(CHECKPOINT) is not None
