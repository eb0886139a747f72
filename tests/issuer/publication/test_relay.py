"""The relay on SQLite and PostgreSQL: what was committed becomes public once, in order, and verifiably."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from issuer.publication.list_writing import LIFETIME
from issuer.publication.outbox import announce_certificate, announce_file, announce_status
from issuer.publication.record_writing import FeedBrokenError
from keys.public.purposes import KeyPurpose
from tests.factories.feed import (
    BASE_URL,
    Feed,
    digest_of,
    open_feed,
    outbox,
    sample_change,
    sample_record,
    token_of,
)
from tests.factories.signing import NOW, make_signer
from tests.services.postgres import postgres_server
from verifier.record import cbor
from verifier.record.log_reading import origin_of, token_digest, verify_checkpoint
from verifier.record.log_tiles import prove_consistency, prove_inclusion
from verifier.record.merkle import leaf_hash, verify_consistency, verify_inclusion
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.status_list import verify_status_list


@pytest.fixture(params=["sqlite", "postgresql"])
def feed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Feed]:
    """Both sides, on each kind of database."""
    if request.param == "sqlite":
        opened = open_feed(f"sqlite:///{tmp_path / 'issuer.sqlite3'}", f"sqlite:///{tmp_path / 'register.sqlite3'}")
        yield opened
        opened.close()
        return
    url = postgres_server().new_database()
    opened = open_feed(url, url)
    yield opened
    opened.close()
    postgres_server().drop_database(url)


def listed(feed: Feed, n: int) -> CertificateStatus:
    """The status the signed list gives the n-th certificate; both token forms must agree."""
    record = sample_record(n)
    stored = feed.register.status_list(record.list_id)
    assert stored is not None
    values = {
        verify_status_list(
            token, feed.bench.key_set, list_id=record.list_id, now=feed.clock.now(), base_url=BASE_URL
        ).statuses.get(record.list_index)
        for token in (stored.token_jwt, stored.token_cwt)
    }
    assert len(values) == 1
    return CertificateStatus.from_list_value(values.pop())


def leaf_events(feed: Feed) -> list[int]:
    """Numbers of the events in the log, in the log's order."""
    return [cbor.decode(leaf)[2] for leaf in feed.register.leaves(0, 100_000)]


def test_published_certificates_are_read_as_they_were_announced(feed: Feed) -> None:
    feed.publish(1, 2)
    assert feed.relay.flush() == 2
    assert feed.register.by_token(token_of(1)) == sample_record(1)
    assert feed.register.by_number_digest(digest_of(2, "number")) == sample_record(2)
    assert feed.register.by_holder_digest(digest_of(2, "holder")) == sample_record(2)
    file = feed.register.by_file(digest_of(1, "file"))
    assert file is not None
    assert (file.token, file.kind, file.valid_until) == (token_of(1), "original", None)
    assert [(c.sequence, c.status) for c in feed.register.history(token_of(1))] == [(0, CertificateStatus.VALID)]
    assert feed.register.position() == outbox(feed)[-1].sequence
    assert listed(feed, 1) is CertificateStatus.VALID
    assert feed.unmarked() == 0


def test_a_status_is_public_on_every_path_once_flush_returns(feed: Feed) -> None:
    feed.publish(1, 2)
    feed.relay.flush()
    steps = [
        (CertificateStatus.SUSPENDED, ReasonClass.CASE_OPEN, None),
        (CertificateStatus.INVALID, ReasonClass.FOUND_INELIGIBLE, None),
        (CertificateStatus.VALID, ReasonClass.REINSTATED, None),
        (CertificateStatus.SUPERSEDED, ReasonClass.CORRECTED, token_of(2)),
    ]
    for sequence, (status, reason, successor) in enumerate(steps, start=1):
        feed.change(1, sequence, status, reason, successor)
        assert feed.relay.flush() == 1
        record = feed.register.by_token(token_of(1))
        assert record is not None
        assert (record.status, record.reason_class, record.superseded_by) == (status, reason, successor)
        assert record.effective_on == date(2025, 11, 1)
        assert record.status_changed_at == NOW
        assert listed(feed, 1) is status
        assert listed(feed, 2) is CertificateStatus.VALID
    history = feed.register.history(token_of(1))
    assert [c.status for c in history] == [CertificateStatus.VALID, *(status for status, _, _ in steps)]


def test_several_changes_of_one_certificate_in_one_flush_end_with_the_last(feed: Feed) -> None:
    feed.publish(1)
    feed.change(1, 1, CertificateStatus.SUSPENDED, ReasonClass.CASE_OPEN)
    feed.change(1, 2, CertificateStatus.INVALID)
    assert feed.relay.flush() == 3
    record = feed.register.by_token(token_of(1))
    assert record is not None
    assert record.status is CertificateStatus.INVALID
    assert listed(feed, 1) is CertificateStatus.INVALID
    assert len(feed.register.history(token_of(1))) == 3


def test_further_files_point_to_their_certificate(feed: Feed) -> None:
    feed.publish(1)
    with feed.database.write() as session:
        announce_file(session, digest_of(1, "copy"), token_of(1), "copy", date(2026, 1, 1), at=NOW)
        announce_file(session, digest_of(1, "later"), token_of(1), "extended", at=NOW)
    feed.relay.flush()
    copy, extended = feed.register.by_file(digest_of(1, "copy")), feed.register.by_file(digest_of(1, "later"))
    assert copy is not None and extended is not None
    assert (copy.kind, copy.valid_until, extended.kind) == ("copy", date(2026, 1, 1), "extended")


def test_every_event_stands_in_the_log_and_the_log_only_grows(feed: Feed) -> None:
    heads = []
    for step in range(6):
        feed.publish(*range(step * 60, step * 60 + 60))
        feed.change(step * 60, 1, CertificateStatus.INVALID)
        feed.relay.flush()
        stored = feed.register.latest_checkpoint()
        assert stored is not None
        heads.append(verify_checkpoint(stored.signed_note, feed.bench.key_set, origin=origin_of(BASE_URL)))
        assert (heads[-1].tree_size, heads[-1].root_hash) == (stored.tree_size, stored.root_hash)
    last = heads[-1]
    assert last.tree_size == 366 == len(leaf_events(feed))
    for head in heads:
        proof = prove_consistency(feed.register, head.tree_size, last.tree_size)
        assert verify_consistency(head.tree_size, head.root_hash, last.tree_size, last.root_hash, proof)
    for n in (0, 61, 255, 359):
        found = feed.register.leaf_of(token_of(n))
        assert found is not None
        proven = prove_inclusion(feed.register, found[0], last.tree_size)
        assert verify_inclusion(leaf_hash(found[1]), found[0], last.tree_size, proven.path, last.root_hash)
        leaf = cbor.decode(found[1])
        assert leaf[1] == "issue"
        assert leaf[3] == token_digest(leaf[2], token_of(n))
    assert feed.register.hashes(1, 0, 10) == [feed.register.hashes(1, 0, 1)[0]]


def test_a_second_flush_changes_nothing(feed: Feed) -> None:
    feed.publish(1)
    feed.relay.flush()
    before = (feed.register.status_list("1"), feed.register.latest_checkpoint(), feed.register.position())
    assert feed.relay.flush() == 0
    assert before == (feed.register.status_list("1"), feed.register.latest_checkpoint(), feed.register.position())


def test_what_was_rolled_back_is_never_public(feed: Feed) -> None:
    with pytest.raises(RuntimeError), feed.database.write() as session:
        announce_certificate(session, sample_record(1))
        session.flush()
        raise RuntimeError
    assert feed.relay.flush() == 0
    assert feed.register.by_token(token_of(1)) is None


def test_two_relays_at_once_apply_everything_once(feed: Feed) -> None:
    other = open_feed(feed.issuer_url, feed.register_url, bench=feed.bench)
    failures: list[BaseException] = []

    def work(one: Feed, numbers: range) -> None:
        try:
            for n in numbers:
                one.publish(n)
                one.relay.flush()
        except BaseException as exc:  # noqa: BLE001 (handed to the test)
            failures.append(exc)

    threads = [
        threading.Thread(target=work, args=(one, range(start, start + 12)))
        for start, one in enumerate((feed, other, feed, other))
        for start in (start * 100,)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert failures == []
    assert sorted(leaf_events(feed)) == [event.sequence for event in outbox(feed)]
    assert len(leaf_events(feed)) == 48
    assert feed.unmarked() == 0
    stored = feed.register.latest_checkpoint()
    assert stored is not None
    assert stored.tree_size == 48


def test_an_event_committed_late_with_a_lower_number_is_not_lost(feed: Feed) -> None:
    """On PostgreSQL a sequence number is drawn before the commit, so numbers may become visible out of order."""
    if feed.database.engine.dialect.name == "sqlite":
        feed.publish(1)  # writers wait for each other here; order is that of commits
        feed.publish(2)
        feed.relay.flush()
    else:
        with feed.database.write() as slow:
            announce_certificate(slow, sample_record(1))
            slow.flush()
            feed.publish(2)
            assert feed.relay.flush() == 1
        assert feed.relay.flush() == 1
    assert feed.register.by_token(token_of(1)) is not None
    assert feed.register.by_token(token_of(2)) is not None
    assert feed.register.position() == max(leaf_events(feed))


def test_an_event_that_contradicts_the_record_holds_nobody_else_up(feed: Feed) -> None:
    """A revocation must not wait behind somebody's mistake; the mistake stays visible."""
    feed.publish(1)
    feed.relay.flush()
    feed.change(99, 1, CertificateStatus.INVALID)  # never published
    with feed.database.write() as session:  # a list entry that is taken
        taken = sample_record(1)
        announce_certificate(session, sample_record(7, list_id=taken.list_id, list_index=taken.list_index))
    feed.publish(2)
    feed.change(1, 1, CertificateStatus.INVALID)
    for _ in range(2):
        with pytest.raises(FeedBrokenError) as refused:
            feed.relay.flush()
        assert refused.value.numbers == (2, 3)
        assert feed.register.by_token(token_of(2)) == sample_record(2)
        assert feed.register.by_token(token_of(7)) is None
        assert listed(feed, 1) is CertificateStatus.INVALID
        assert feed.unmarked() == 2
    assert leaf_events(feed) == [1, 4, 5]


def test_lists_are_signed_anew_before_they_run_out(feed: Feed) -> None:
    feed.publish(1)
    feed.change(1, 1, CertificateStatus.INVALID)
    feed.relay.flush()
    assert feed.relay.refresh_lists() == 0
    feed.clock.move_to(date(2025, 10, 29))
    before = feed.register.status_list("1")
    assert before is not None
    assert before.expires_at < feed.clock.now()
    assert feed.relay.refresh_lists() == 1
    after = feed.register.status_list("1")
    assert after is not None
    assert after.expires_at - feed.clock.now() > LIFETIME - timedelta(minutes=1)
    assert after.version == before.version + 1
    assert listed(feed, 1) is CertificateStatus.INVALID
    assert feed.relay.refresh_lists() == 0


def test_lists_are_signed_anew_after_a_change_of_key(feed: Feed) -> None:
    feed.publish(1)
    feed.relay.flush()
    feed.bench.signers[KeyPurpose.STATUS_LIST] = make_signer(KeyPurpose.STATUS_LIST)
    assert feed.relay.refresh_lists() == 1
    assert feed.relay.refresh_lists() == 0


def test_a_record_the_public_side_could_not_hold_is_refused_before_it_is_written(feed: Feed) -> None:
    wrong = [
        lambda s: announce_certificate(s, sample_record(1, token="short")),
        lambda s: announce_certificate(s, sample_record(1, token=token_of(1).lower())),
        lambda s: announce_certificate(s, sample_record(1, file_sha256="")),
        lambda s: announce_certificate(s, sample_record(1, list_index=1 << 17)),
        lambda s: announce_status(s, sample_change(1, 0, CertificateStatus.INVALID)),
        lambda s: announce_file(s, digest_of(1, "x"), token_of(1), "original", at=NOW),
        lambda s: announce_file(s, digest_of(1, "x"), token_of(1), "copy", at=NOW),
        lambda s: announce_file(s, digest_of(1, "x"), token_of(1), "extended", at=NOW.replace(tzinfo=None)),
    ]
    for act in wrong:
        with pytest.raises(Exception, match=r"cannot be published|time zone"), feed.database.write() as session:
            act(session)
    assert outbox(feed) == []


def test_nothing_announced_holds_personal_data(feed: Feed) -> None:
    feed.publish(1)
    allowed = set(sample_record(1).__slots__)
    assert set(outbox(feed)[0].payload) == allowed
    assert not allowed & {"name", "id_no", "management_no", "admission_no"}


def test_a_thousand_certificates_in_one_flush(feed: Feed) -> None:
    feed.publish(*range(1000))
    started = feed.clock.now()
    assert feed.relay.flush() == 1000
    assert feed.register.position() == 1000
    stored = feed.register.status_list("1")
    assert stored is not None
    assert stored.version == 1, "one signature a list and flush"
    assert stored.issued_at >= started.replace(microsecond=0)
    assert feed.register.hashes(1, 0, 10) != []
