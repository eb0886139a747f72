"""An outside time-stamp service over HTTP: used when it is published and honest, refused in clear words otherwise."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from issuer.clock import SystemClock
from issuer.errors import UnavailableError
from issuer.sealing.key_access import signer_source
from issuer.sealing.remote_time import RemoteTimestamps
from issuer.sealing.room import SealingRoom
from issuer.settings import Settings
from keys.private.ceremony import accept_timestamp_authority, hold_ceremony
from keys.private.keyring import Keyring
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.keyset import KeySet, load_key_set
from keys.public.purposes import KeyPurpose
from tests.factories import pdf_judges as judges

Answer = Callable[[bytes], tuple[int, bytes]]


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
    thread = threading.Thread(target=service.server.serve_forever, daemon=True)
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
def trusting(settings: Settings, outside: tuple[KeySet, TimestampAuthority], tmp_path: Path) -> KeySet:
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
    outside: tuple[KeySet, TimestampAuthority],
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


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: (500, b"out of order"),
        lambda _: (200, b"hello"),
        lambda _: (200, b""),
        lambda _: (200, b"\x30\x05\x30\x03\x02\x01\x02"),
    ],
    ids=["error", "nonsense", "empty", "refusal"],
)
def test_no_usable_answer_is_unavailable(service: _Service, room: SealingRoom, answer: Answer) -> None:
    service.answer = answer
    _expect("timestamp-unavailable", RemoteTimestamps(service.url, room.key_set))


def test_a_service_that_does_not_answer_is_unavailable(service: _Service, room: SealingRoom) -> None:
    done = threading.Event()

    def hang(_: bytes) -> tuple[int, bytes]:
        done.wait(5)
        return 200, b""

    service.answer = hang
    start = time.monotonic()
    _expect("timestamp-unavailable", RemoteTimestamps(service.url, room.key_set, timeout=0.3))
    assert time.monotonic() - start < 3
    done.set()
    _expect("timestamp-unavailable", RemoteTimestamps("http://127.0.0.1:1/", room.key_set, timeout=1))


def test_an_authority_that_is_not_published_is_refused(
    service: _Service, room: SealingRoom, outside: tuple[KeySet, TimestampAuthority]
) -> None:
    service.answer = lambda request: (200, outside[1].answer(request))
    _expect("timestamp-not-ours", RemoteTimestamps(service.url, room.key_set))


def test_an_old_answer_played_again_is_refused(
    service: _Service, trusting: KeySet, outside: tuple[KeySet, TimestampAuthority]
) -> None:
    kept: list[bytes] = []

    def again(request: bytes) -> tuple[int, bytes]:
        kept.append(outside[1].answer(request))
        return 200, kept[0]

    service.answer = again
    timestamps = RemoteTimestamps(service.url, trusting)
    assert timestamps.token(bytes(32))
    _expect("timestamp-unavailable", timestamps)


def test_a_timestamp_of_something_else_is_refused(
    service: _Service, trusting: KeySet, outside: tuple[KeySet, TimestampAuthority]
) -> None:
    def other(request: bytes) -> tuple[int, bytes]:
        return 200, outside[1].answer(request.replace(bytes(32), bytes(31) + b"\x01"))

    service.answer = other
    with pytest.raises(UnavailableError) as caught:
        RemoteTimestamps(service.url, trusting).token(bytes(32))
    assert caught.value.code == "timestamp-not-ours"


def _expect(code: str, timestamps: RemoteTimestamps) -> None:
    with pytest.raises(UnavailableError) as caught:
        timestamps.token(bytes(32))
    assert caught.value.code == code


def _signers(pdf: bytes) -> set[int]:
    import io

    reader = judges.PdfFileReader(io.BytesIO(pdf))
    return {stamp.signer_cert.serial_number for stamp in reader.embedded_timestamp_signatures}
