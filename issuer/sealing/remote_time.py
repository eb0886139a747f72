"""Timestamps from an outside RFC 3161 service (ECERT_TSA_URL), over HTTP (RFC 3161, 3.4).

A service that is slow makes a batch slow. One that is down for a moment is asked again, a little later each time. One
that stays down is left alone for a while, and whoever needs it is told so at once. Nothing is sealed without it.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
from cryptography import x509

from issuer.errors import UnavailableError, Words
from issuer.sealing.time_answers import NotNowError, accept_answer, probe_digest, request_for
from keys.public.keyset import KeySet, PublishedKey
from keys.public.time_authority import TimeAuthority

TIMEOUT_SECONDS = 10.0
"""For one request, from the first byte sent to the last byte read."""
PATIENCE_SECONDS = 40.0
"""For one token, all attempts and the pauses between them."""
REST_SECONDS = 15.0
"""How long a service that used up the patience is not asked again."""
AT_ONCE = 4
"""Requests a process has under way at a time; whoever comes then waits for its turn."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0
_LARGEST_ANSWER = 64 * 1024
_SPARE_BYTES = 512
"""Tokens of one service differ by the length of a few numbers, or by one certificate's renewal."""
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


class RemoteTimestamps:
    """Asks one service for tokens, and takes only those of an authority in the published key set.

    Otherwise the province would publish certificates that its own verifier cannot check. Safe for threads.
    """

    def __init__(
        self,
        url: str,
        key_set: KeySet,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        timeout: float = TIMEOUT_SECONDS,
        patience: float = PATIENCE_SECONDS,
        rest: float = REST_SECONDS,
        at_once: int = AT_ONCE,
    ) -> None:
        address = httpx.URL(url)
        # Named apart from the address, which the client may write to a log.
        account = (address.username, address.password) if address.userinfo else None
        self._url = address.copy_with(username=None, password=None) if account else address
        limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        self._client = httpx.Client(timeout=timeout, limits=limits, auth=account, headers=_HEADERS)
        self._timeout, self._patience, self._rest = timeout, patience, rest
        self._turns = threading.BoundedSemaphore(at_once)
        self._key_set, self._now = key_set, now
        self._resting: tuple[float, str] = (0.0, "")
        self._answered: dict[str, PublishedKey | TimeAuthority] = {}
        self._longest = 0
        self._probing = threading.Lock()

    @property
    def reserve(self) -> int:
        """Bytes for one token, learned by asking for one; raises as `token` does."""
        with self._probing:
            if not self._longest:
                self.token(probe_digest())
            return self._longest + _SPARE_BYTES

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The paths of all authorities that have answered, for the DSS; empty before the first token."""
        paths = [(key.certificate, *key.chain) for key in list(self._answered.values())]
        known = [certificate for path in paths for certificate in path]
        issuers = {certificate.issuer for certificate in known}
        roots = (anchor for anchor in self._key_set.anchors if anchor.subject in issuers)
        return tuple(dict.fromkeys((*known, *roots)))

    def token(self, digest: bytes) -> bytes:
        """A DER token over a SHA-256 digest.

        Raises UnavailableError: `timestamp-unavailable` (no answer within the patience, or it rests after that),
        `timestamp-refused`, `timestamp-wrong`, `timestamp-not-ours`. The caller can simply try again later.
        """
        with self._turns:
            until, why = self._resting
            if time.monotonic() < until:
                raise _unavailable(why)
            deadline = time.monotonic() + self._patience
            for pause in _pauses():
                try:
                    return self._ask(digest)
                except NotNowError as error:
                    wait = max(pause, error.after)
                    if time.monotonic() + wait >= deadline:
                        self._resting = (time.monotonic() + self._rest, str(error))
                        raise _unavailable(str(error)) from error
                    time.sleep(wait)
        raise AssertionError("the pauses never end")

    def _ask(self, digest: bytes) -> bytes:
        request, nonce = request_for(digest)
        answer = self._post(request)
        token, stamp = accept_answer(answer, digest, nonce, self._key_set, self._now())
        self._answered.setdefault(stamp.key.kid, stamp.key)
        self._longest = max(self._longest, len(token))
        return token

    def _post(self, request: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout
        body = bytearray()
        try:
            with self._client.stream("POST", self._url, content=request) as response:
                if response.status_code in _PASSING:
                    raise NotNowError(f"HTTP {response.status_code}", _seconds(response.headers.get("Retry-After")))
                if response.status_code != httpx.codes.OK:
                    raise _unavailable(f"HTTP {response.status_code}")
                for part in response.iter_bytes():
                    body += part
                    if len(body) > _LARGEST_ANSWER:
                        raise _unavailable("answer too long")
                    if time.monotonic() > deadline:
                        raise NotNowError("too slow")
        except httpx.TimeoutException as error:
            raise NotNowError("no answer in time") from error
        except httpx.UnsupportedProtocol as error:
            raise _unavailable("not an http address") from error
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise _unavailable("its TLS certificate is not trusted") from error
            raise NotNowError("no connection") from error
        except httpx.HTTPError as error:
            raise _unavailable(type(error).__name__) from error
        return bytes(body)


def _pauses() -> Iterator[float]:
    """Each twice the one before, up to a limit; a little at random, so that workers do not come back together."""
    pause = _FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _seconds(after: str | None) -> float:
    """Retry-After in seconds; its other form, a date, counts as none (RFC 9110, 10.2.3)."""
    return float(after) if after is not None and after.isascii() and after.isdigit() and len(after) < 6 else 0.0


def _unavailable(why: str) -> UnavailableError:
    return UnavailableError(
        "timestamp-unavailable",
        Words(
            f"时间戳服务没有给出可用的答复（{why}），什么也没有签发。",
            f"The time-stamp service gave no usable answer ({why}); nothing was issued.",
        ),
        remedy=Words(
            "请检查 ECERT_TSA_URL 和网络，然后重试；已签发的证书不受影响，未完成的都保留着。",
            "Check ECERT_TSA_URL and the network, then try again; what was issued stands, the rest is kept.",
        ),
    )
