"""A result held against the log: proof shown, contradiction believed by nobody, absence said and nothing more."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.factories.feed import BASE_URL, Feed, open_feed, token_of
from tests.factories.signing import Bench
from verifier.check.checker import Checker
from verifier.check.log_check import ProofReader, proof_at_hand, with_log
from verifier.record.log_proof import prove_status
from verifier.record.log_reading import origin_of
from verifier.record.status import CertificateStatus
from verifier.record.verdict import CheckResult, Verdict

ORIGIN = origin_of(BASE_URL)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    """Twenty certificates; the fifth is invalid, the sixth suspended."""
    folder = tmp_path_factory.mktemp("held")
    opened = open_feed(f"sqlite:///{folder / 'issuer.sqlite3'}", f"sqlite:///{folder / 'register.sqlite3'}")
    opened.publish(*range(20))
    opened.relay.flush()
    opened.change(5, 1, CertificateStatus.INVALID)
    opened.change(6, 1, CertificateStatus.SUSPENDED)
    opened.relay.flush()
    yield opened
    opened.close()


def _asked(feed: Feed, n: int) -> CheckResult:
    keys = feed.bench.key_set
    return Checker(feed.register, lambda: keys, bytes(32), feed.clock.now, (BASE_URL,)).check_token(token_of(n))


def _held(feed: Feed, n: int, read: ProofReader) -> CheckResult:
    return with_log(_asked(feed, n), read, feed.bench.key_set, origin=ORIGIN)


@pytest.mark.parametrize(
    ("n", "verdict"), [(1, Verdict.VALID), (5, Verdict.INVALID), (6, Verdict.SUSPENDED), (99, Verdict.NOT_FOUND)]
)
def test_a_proven_status_says_so_and_keeps_its_verdict(feed: Feed, n: int, verdict: Verdict) -> None:
    result = _held(feed, n, lambda token: proof_at_hand(feed.register, token))
    assert result.verdict is verdict
    if verdict is Verdict.NOT_FOUND:
        assert "log" not in result.extra
        return
    assert (result.checks[-1].code, result.checks[-1].ok) == ("log-proven", True)
    log = result.to_json()["log"]
    assert (log["proven"], log["tree_size"], log["cosignatures"]) == (True, 22, 0)
    served = json.dumps(prove_status(feed.register, token_of(n)).to_json()).encode()  # type: ignore[union-attr]
    assert _held(feed, n, lambda _: served).extra == result.extra, "as served over HTTP"


def test_a_log_that_cannot_be_asked_changes_no_verdict_and_is_not_called_proven(feed: Feed) -> None:
    result = _held(feed, 1, lambda _: None)
    assert result.verdict is Verdict.VALID
    assert result.extra["log"] == {"proven": None}
    assert "log" not in {check.name for check in result.checks}


def test_what_the_log_contradicts_is_never_valid(feed: Feed) -> None:
    """The register was changed silently: it says valid of what the log knows as invalid."""
    asked = _asked(feed, 5)
    assert asked.certificate is not None
    lying = replace(_asked(feed, 1), certificate=replace(asked.certificate, status="valid"))
    assert lying.verdict is Verdict.VALID
    asked_again = []

    def again() -> CheckResult:
        asked_again.append(1)
        return lying

    result = with_log(
        lying, lambda token: proof_at_hand(feed.register, token), feed.bench.key_set, origin=ORIGIN, again=again
    )
    assert (result.verdict, result.checks[-1].code) == (Verdict.STATUS_UNKNOWN, "log-contradicts")
    assert result.verdict.exit_code == 2
    assert asked_again == [1]
    assert result.checks[-1].remedy and result.checks[-1].remedy_en


def test_a_status_that_changed_meanwhile_is_asked_for_again(feed: Feed) -> None:
    before = replace(_asked(feed, 1), certificate=replace(_asked(feed, 5).certificate, status="valid"))  # type: ignore[type-var]
    result = with_log(
        before,
        lambda token: proof_at_hand(feed.register, token),
        feed.bench.key_set,
        origin=ORIGIN,
        again=lambda: _asked(feed, 5),
    )
    assert (result.verdict, result.checks[-1].code) == (Verdict.INVALID, "log-proven")


def test_a_false_proof_takes_valid_away_and_leaves_the_rest(feed: Feed) -> None:
    other = prove_status(feed.register, token_of(2))
    for n, verdict in ((1, Verdict.STATUS_UNKNOWN), (5, Verdict.INVALID)):
        for read in (lambda _: other, lambda _: b"no JSON", lambda _: b"{}"):
            result = _held(feed, n, read)
            assert (result.verdict, result.checks[-1].code) == (verdict, "log-proof-false")
    result = with_log(_asked(feed, 1), lambda t: proof_at_hand(feed.register, t), Bench().key_set, origin=ORIGIN)
    assert result.verdict is Verdict.STATUS_UNKNOWN


def test_the_past_and_copies_are_left_as_they_are(feed: Feed) -> None:
    past = replace(_asked(feed, 5), extra={"on": "2025-10-28"})
    assert with_log(past, lambda _: b"", feed.bench.key_set) is past
