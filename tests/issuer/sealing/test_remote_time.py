"""An outside time-stamp service over HTTP: used when it is published and honest, refused in clear words otherwise."""

import contextlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from pyhanko.pdf_utils.reader import PdfFileReader

from issuer.clock import SystemClock
from issuer.errors import UnavailableError
from issuer.sealing.key_access import signer_source
from issuer.sealing.remote_time import RemoteTimestamps
from issuer.sealing.room import SealingRoom
from issuer.settings import Settings
from keys.private.ceremony import accept_timestamp_authority, hold_ceremony
from keys.private.keyring import Keyring
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.ecdsa import ORDERS
from keys.public.keyset import KeySet, load_key_set
from keys.public.purposes import KeyPurpose
from tests.factories import pdf_judges as judges
from verifier.check.document import inspect_document
from verifier.check.timestamps import read_token

Answer = Callable[[bytes], tuple[int, bytes]]
Outside = tuple[KeySet, TimestampAuthority]


class _Service:
    """A time-stamp service on a free port whose answer a test can change."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _: (500, b"")
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, body = service.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tsa"


@pytest.fixture
def service() -> Iterator[_Service]:
    service = _Service()
    thread = threading.Thread(target=service.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield service
    service.server.shutdown()
    service.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeySet, TimestampAuthority]:
    """Another organisation's authority."""
    folder = tmp_path_factory.mktemp("outside") / "keys"
    key_set = hold_ceremony(folder, "x", now=datetime.now(UTC) - timedelta(days=1), organisation="另一机构")
    signer = Keyring(folder, "x").signer(key_set.current(KeyPurpose.TIMESTAMP))
    return key_set, TimestampAuthority(signer, SystemClock().now)


@pytest.fixture
def trusting(settings: Settings, outside: Outside, tmp_path: Path) -> KeySet:
    """Our key set with the outside authority published."""
    keys_dir = tmp_path / "keys"
    (keys_dir / "public").mkdir(parents=True)
    published = settings.keys_dir / "public" / "ecert-keys.json"
    (keys_dir / "public" / "ecert-keys.json").write_bytes(published.read_bytes())
    theirs = outside[0]
    certificate = theirs.current(KeyPurpose.TIMESTAMP).certificate
    accept_timestamp_authority(keys_dir, certificate, theirs.anchors, theirs.crls, now=datetime.now(UTC))
    return load_key_set(keys_dir)


def test_seals_with_an_outside_timestamp(
    service: _Service,
    settings: Settings,
    trusting: KeySet,
    outside: Outside,
    page: bytes,
    tmp_path: Path,
) -> None:
    service.answer = lambda request: (200, outside[1].answer(request))
    own = load_key_set(settings.keys_dir)
    room = SealingRoom(trusting, signer_source(settings, own), SystemClock(), service.url)
    sealed = room.seal_pdf(page, level="B-LTA")
    assert outside[0].current(KeyPurpose.TIMESTAMP).certificate.serial_number in _signers(sealed)
    assert judges.openssl(sealed, own, tmp_path).returncode == 0
    good, reason = judges.long_term(sealed, trusting, datetime.now(UTC) + timedelta(minutes=1))
    assert good, reason


@pytest.fixture
def asked(service: _Service, trusting: KeySet) -> RemoteTimestamps:
    """A client that trusts the outside authority."""
    return RemoteTimestamps(service.url, trusting, timeout=30, patience=60)


REFUSED_FOR_GOOD = b"\x30\x09\x30\x07\x02\x01\x02\x03\x02\x05\x20"
"""Rejection, badRequest (RFC 3161, 2.4.2)."""
NOT_NOW = b"\x30\x0c\x30\x0a\x02\x01\x02\x03\x05\x06\x00\x00\x00\x40"
"""Rejection, systemFailure."""


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((404, b"no such page"), "timestamp-unavailable"),
        ((200, b"x" * 70_000), "timestamp-unavailable"),
        ((200, b"hello"), "timestamp-wrong"),
        ((200, b""), "timestamp-wrong"),
        ((200, b"\x30\x05\x30\x03\x02\x01\x02"), "timestamp-refused"),
        ((200, REFUSED_FOR_GOOD), "timestamp-refused"),
        ((200, b"\x30\x05\x30\x03\x02\x01\x00"), "timestamp-refused"),
    ],
    ids=["not found", "endless", "nonsense", "empty", "refusal", "bad request", "granted, but nothing given"],
)
def test_an_answer_that_cannot_get_better_is_not_asked_for_again(
    service: _Service, asked: RemoteTimestamps, answer: tuple[int, bytes], code: str
) -> None:
    requests: list[bytes] = []

    def reply(request: bytes) -> tuple[int, bytes]:
        requests.append(request)
        return answer

    service.answer = reply
    _expect(code, asked)
    assert len(requests) == 1


@pytest.mark.parametrize("trouble", [(503, b""), (429, b"slow down"), (500, b"?"), (200, NOT_NOW)])
def test_a_passing_trouble_costs_time_and_nothing_else(
    service: _Service, asked: RemoteTimestamps, outside: Outside, trouble: tuple[int, bytes]
) -> None:
    answers = [trouble, trouble, None]

    def reply(request: bytes) -> tuple[int, bytes]:
        return answers.pop(0) or (200, outside[1].answer(request))

    service.answer = reply
    start = time.monotonic()
    assert asked.token(bytes(32))
    assert not answers
    assert time.monotonic() - start > 0.5, "no pause was made between the attempts"


def test_a_service_that_hangs_is_left_alone_for_a_while(
    service: _Service, trusting: KeySet, outside: Outside
) -> None:
    done, requests = threading.Event(), []

    def hang(request: bytes) -> tuple[int, bytes]:
        requests.append(request)
        done.wait(60)
        return 200, outside[1].answer(request)

    service.answer = hang
    asked = RemoteTimestamps(service.url, trusting, timeout=1.0, patience=1.5, rest=600)
    assert "no answer in time" in _expect("timestamp-unavailable", asked).words.en
    # Everybody who comes now is told the same, and the service is not asked.
    count = len(requests)
    for _ in range(50):
        assert "no answer in time" in _expect("timestamp-unavailable", asked).words.en
    assert len(requests) == count
    done.set()


def test_after_its_rest_a_service_is_asked_again(service: _Service, trusting: KeySet, outside: Outside) -> None:
    asked = RemoteTimestamps(service.url, trusting, patience=0.1, rest=0.05)
    service.answer = lambda _: (503, b"")
    _expect("timestamp-unavailable", asked)
    service.answer = lambda request: (200, outside[1].answer(request))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            assert asked.token(bytes(32))
            return
        except UnavailableError:
            continue
    raise AssertionError("it was never asked again")


def test_nobody_there_is_unavailable(trusting: KeySet) -> None:
    nobody = RemoteTimestamps("http://127.0.0.1:1/", trusting, patience=0.1)
    assert "no connection" in _expect("timestamp-unavailable", nobody).words.en
    assert "not an http address" in _expect("timestamp-unavailable", RemoteTimestamps("tsa", trusting)).words.en


def test_an_answer_that_drips_is_cut_off(trusting: KeySet) -> None:
    """Each byte comes in time and the whole never does."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(1200):
                    if stop.wait(0.05):
                        break
                    self.wfile.write(b"0")
                    self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    dripped = RemoteTimestamps(url, trusting, timeout=0.3, patience=0.4)
    why = _expect("timestamp-unavailable", dripped).words.en
    assert "too slow" in why or "no answer in time" in why
    stop.set()
    server.shutdown()
    server.server_close()


def test_a_service_is_asked_by_few_at_a_time(service: _Service, trusting: KeySet, outside: Outside) -> None:
    """Sixteen seals at once wait for their turn; none is lost."""
    lock, working, under_way, most = threading.Lock(), threading.Event(), 0, 0

    def reply(request: bytes) -> tuple[int, bytes]:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        working.wait(0.02)
        with lock:
            under_way -= 1
        return 200, outside[1].answer(request)

    service.answer = reply
    asked = RemoteTimestamps(service.url, trusting, timeout=30, at_once=3)
    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(asked.token, [bytes(32)] * 16))
    assert len(set(tokens)) == 16
    assert most <= 3


def test_an_account_is_sent_and_not_part_of_the_address(trusting: KeySet) -> None:
    asked = RemoteTimestamps("http://province:secret@127.0.0.1:1/tsa", trusting)
    assert "secret" not in str(asked._url)
    request = asked._client.build_request("POST", asked._url)
    sent = next(asked._client.auth.auth_flow(request))  # type: ignore[union-attr]
    assert sent.headers["Authorization"].startswith("Basic ")


# -- lies ------------------------------------------------------------------------------------------


def test_an_authority_that_is_not_published_is_refused(
    service: _Service, room: SealingRoom, outside: Outside
) -> None:
    service.answer = lambda request: (200, outside[1].answer(request))
    _expect("timestamp-not-ours", RemoteTimestamps(service.url, room.key_set))


def test_an_old_answer_played_again_is_refused(service: _Service, asked: RemoteTimestamps, outside: Outside) -> None:
    kept: list[bytes] = []

    def again(request: bytes) -> tuple[int, bytes]:
        kept.append(outside[1].answer(request))
        return 200, kept[0]

    service.answer = again
    assert asked.token(bytes(32))
    assert "nonce" in _expect("timestamp-wrong", asked).words.en


def test_a_timestamp_of_something_else_is_refused(
    service: _Service, asked: RemoteTimestamps, outside: Outside
) -> None:
    service.answer = lambda request: (200, outside[1].answer(request.replace(bytes(32), bytes(31) + b"\x01")))
    assert "imprint" in _expect("timestamp-wrong", asked).words.en


def test_a_signature_that_does_not_hold_is_refused(
    service: _Service, asked: RemoteTimestamps, outside: Outside
) -> None:
    def forged(request: bytes) -> tuple[int, bytes]:
        answer = tsp.TimeStampResp.load(outside[1].answer(request))
        signer = answer["time_stamp_token"]["content"]["signer_infos"][0]
        r, s = decode_dss_signature(signer["signature"].native)
        signer["signature"] = encode_dss_signature(r, s - 1)
        return 200, answer.dump()

    service.answer = forged
    assert "signature" in _expect("timestamp-wrong", asked).words.en


def test_a_clock_far_from_ours_is_refused(service: _Service, trusting: KeySet, outside: Outside) -> None:
    service.answer = lambda request: (200, outside[1].answer(request))
    late = RemoteTimestamps(service.url, trusting, lambda: datetime.now(UTC) + timedelta(minutes=6), timeout=30)
    assert "clock" in _expect("timestamp-wrong", late).words.en


def test_a_token_enters_a_file_in_one_spelling(service: _Service, asked: RemoteTimestamps, outside: Outside) -> None:
    """Half of all outside tokens have their s in the upper half; the check takes only the lower."""

    def upper(request: bytes) -> tuple[int, bytes]:
        answer = tsp.TimeStampResp.load(outside[1].answer(request))
        signer = answer["time_stamp_token"]["content"]["signer_infos"][0]
        r, s = decode_dss_signature(signer["signature"].native)
        signer["signature"] = encode_dss_signature(r, ORDERS["secp256r1"] - s)
        return 200, answer.dump()

    service.answer = upper
    assert read_token(asked.token(bytes(32)), bytes(32), asked._key_set)


def test_room_is_left_for_the_tokens_of_this_service(
    service: _Service, asked: RemoteTimestamps, outside: Outside
) -> None:
    service.answer = lambda request: (200, outside[1].answer(request))
    assert len(asked.token(bytes(32))) + 500 < asked.reserve < 4000
    assert outside[0].anchors[0] in asked.certificates


def test_tokens_that_have_grown_still_find_room(
    service: _Service, asked: RemoteTimestamps, outside: Outside, settings: Settings, page: bytes
) -> None:
    """The service renewed its certificates since the length of its tokens was learned."""
    service.answer = lambda request: (200, outside[1].answer(request))
    own = load_key_set(settings.keys_dir)
    for other_form in (page, page.replace(b"/ID[(", b"/ID [(")):
        room = SealingRoom(asked._key_set, signer_source(settings, own), SystemClock())
        sealer = room._sealing()
        sealer._timestamps = asked
        asked._longest = 1
        found = inspect_document(room.seal_pdf(other_form), asked._key_set, now=datetime.now(UTC))
        assert {check.name for check in found.checks if check.ok} >= {"seal", "revisions", "seal-time"}


def _expect(code: str, timestamps: RemoteTimestamps) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        timestamps.token(bytes(32))
    assert caught.value.code == code
    assert caught.value.remedy is not None
    return caught.value


def _signers(pdf: bytes) -> set[int]:
    reader = PdfFileReader(io.BytesIO(pdf))
    return {stamp.signer_cert.serial_number for stamp in reader.embedded_timestamp_signatures}
