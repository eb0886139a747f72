"""The keeper: looks at once, goes on after a failure, ends when told."""

import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from issuer.publication.keeper import Keeper
from tests.factories.feed import open_feed, sample_record, token_of


class Stubborn:
    """A relay that fails at its first look and says when it has been looked at often enough."""

    def __init__(self) -> None:
        self.looks = 0
        self.enough = threading.Event()

    def flush(self) -> int:
        self.looks += 1
        if self.looks == 1:
            raise OperationalError("SELECT", {}, Exception("secret 110105194912310021"))
        if self.looks == 3:
            self.enough.set()
        return 0

    def refresh_lists(self) -> int:
        return 0


def test_it_goes_on_after_a_failure_and_logs_no_data(caplog: pytest.LogCaptureFixture) -> None:
    relay = Stubborn()
    with Keeper(relay, every=0.01):
        assert relay.enough.wait(10)
    looks = relay.looks
    assert looks >= 3
    assert "OperationalError" in caplog.text
    assert "110105" not in caplog.text


def test_what_a_crash_left_in_the_outbox_is_carried_over_at_start(tmp_path: Path) -> None:
    feed = open_feed(f"sqlite:///{tmp_path / 'i.sqlite3'}", f"sqlite:///{tmp_path / 'r.sqlite3'}")
    feed.publish(1)
    with Keeper(feed.relay, every=3600):
        pass
    assert feed.register.by_token(token_of(1)) == sample_record(1)
    feed.close()
