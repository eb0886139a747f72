"""Checking at a verifier over HTTP, for `ecert verify --server` and for fetching the offline bundle.

The payload of a QR code is never sent: it is verified here with the server's published keys and compared with what
the server says of the token.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from keys.public.keyset import KeySet, KeySetMalformedError
from verifier.check.checker import host_of
from verifier.check.findings import Refused, read_credential_checked
from verifier.check.judgement import SHANGHAI, refusal
from verifier.check.words import say
from verifier.puzzle import TooMuchWorkError, answer_to
from verifier.record.public_record import StatusChange
from verifier.record.qr import QrGrammarError, parse_qr
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.status_list import list_path
from verifier.record.verdict import Check, CheckResult, PublicCertificate, Verdict

TIMEOUT_SECONDS: Final = 20
_MAX_BODY: Final = 8 << 20
JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_WORKS: Final = 3
"""A first question and two answers to challenges; a proof that came too late is worth another."""
_NOT_FOUND: Final = 404
_DATES: Final = {"approved_on", "issued_on", "effective_on", "copy_valid_until"}


class ServerError(Exception):
    """The server could not be asked, or answered with something that is no result; one line."""


class Server:
    """A verifier at `base_url` (scheme and host). Every method may raise ServerError."""

    def __init__(self, base_url: str, on_work: Callable[[], None] | None = None) -> None:
        """`on_work`: told when the server makes this machine work for an answer, which takes a moment."""
        self.on_work = on_work
        if not base_url.lower().startswith(("http://", "https://")):
            raise ServerError(
                "服务器地址须以 https:// 或 http:// 开头 / the server's address must begin with https://"
            )
        self._base = base_url.rstrip("/")

    @property
    def origin(self) -> str:
        """The address as given."""
        return self._base

    def key_set(self) -> bytes:
        """The published key set, as served."""
        return self._get("/.well-known/ecert-keys.json", "application/json") or b""

    def status_list(self, list_id: str) -> bytes | None:
        """A signed status list (CWT), or None when there is no such list."""
        return self._get(list_path(list_id), "application/statuslist+cwt")

    def keys(self) -> KeySet:
        """The published key set; raises KeySetMalformedError too."""
        try:
            return KeySet.from_json(json.loads(self.key_set()))
        except ValueError as error:
            raise KeySetMalformedError("the server's key set cannot be read") from error

    def status_proof(self, token: str) -> bytes | None:
        """The log's proof for a certificate's newest status, as served; None where the server has none to give."""
        try:
            return self._get(f"/log/proof/{quote(token, safe='')}", "application/json")
        except ServerError:
            return None

    def check_token(self, token: str) -> CheckResult:
        """What the server says of a token."""
        return self._result(f"/api/v1/certificates/{quote(token, safe='')}")

    def history(self, token: str) -> tuple[StatusChange, ...]:
        """Every status the certificate has had, as the server's public record has it, oldest first."""
        day = quote(datetime.now(SHANGHAI).date().isoformat())
        body = self._send(f"/api/v1/certificates/{quote(token, safe='')}?on={day}", JSON, None, None, problems=True)
        try:
            lines = json.loads(body or b"")["on"]["history"]
            return tuple(_read_change(token, sequence, line) for sequence, line in enumerate(lines))
        except (ValueError, KeyError, TypeError) as error:
            raise ServerError(_problem(body)) from error

    def check_file_digest(self, sha256: str) -> CheckResult:
        """What the server says of a file's digest."""
        return self._result(f"/api/v1/files/{quote(sha256, safe='')}")

    def check_pdf(self, pdf: bytes) -> CheckResult:
        """What the server says of a file."""
        return self._result("/api/v1/check", pdf, "application/pdf")

    def check_receipt(self, data: bytes) -> dict[str, Any]:
        """What the server says of a receipt, with `exit_code` as `ReceiptCheck.exit_code`."""
        kind = "application/pdf" if data.lstrip()[:5] == b"%PDF-" else JSON
        body = self._send("/api/v1/receipts/check", JSON, data, kind, problems=True)
        try:
            found = json.loads(body or b"")
            outcome, now = found["outcome"], (found["now"] or {}).get("verdict")
            said = (found["receipt"] or {}).get("verdict")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServerError(_problem(body)) from error
        if outcome == "undetermined" or (outcome == "genuine" and now == "status_unknown"):
            code = 2
        else:
            code = 0 if (outcome, said, now) == ("genuine", "valid", "valid") else 1
        return {**found, "exit_code": code}

    def check_number(self, management_no: str, name: str | None = None) -> CheckResult:
        """What the server says of a number with a name; a server answers no number without a name."""
        if not name:
            raise ServerError("向服务器按管理号查询须加 --name / a look-up at a server also needs --name")
        asked = {"management_no": management_no, "name": name}
        for _ in range(_WORKS):
            answer = self._send("/api/v1/lookup", JSON, urlencode(asked).encode(), _FORM, problems=True)
            challenge = _challenge_in(answer)
            if challenge is None:
                return _result_in(answer)
            # The server has been asked often: as its page would, this machine does some work first.
            if self.on_work is not None:
                self.on_work()
            try:
                asked["proof"] = answer_to(challenge)
            except TooMuchWorkError as error:
                raise ServerError("服务器要求的计算过多 / the server asks for too much work") from error
        raise ServerError(_problem(answer))

    def check_qr(self, text: str, now: datetime) -> CheckResult:
        """By the text of a QR code; its payload is verified here and its token there."""
        try:
            qr = parse_qr(text)
        except QrGrammarError:
            return refusal(Verdict.MALFORMED, (say("qr-grammar"),), now)
        checks: list[Check] = [say("qr-read")]
        if host_of(qr.origin) != host_of(self._base):
            foreign = say("foreign-host", host=host_of(qr.origin), own=host_of(self._base))
            return refusal(Verdict.UNTRUSTED, (*checks, foreign), now)
        checks.append(say("own-origin"))
        if qr.payload is None:
            return self.check_token(qr.token)
        try:
            key_set = KeySet.from_json(json.loads(self.key_set()))
            claims, check = read_credential_checked(qr.payload, key_set)
            checks.append(check)
            if claims.token != qr.token:
                raise Refused(Verdict.ALTERED, "credential-other-certificate")
        except Refused as refused:
            return refusal(refused.verdict, (*checks, refused.check), now)
        except (ValueError, KeySetMalformedError) as error:
            raise ServerError("服务器的公钥清单无法读取 / the server's key set cannot be read") from error
        result = self.check_token(qr.token)
        shown = result.certificate
        if shown is None:
            return CheckResult(result.verdict, (*checks, *result.checks), result.as_of)
        for field in ("programme_code", "programme_name", "level", "specialty", "approved_on"):
            if getattr(shown, field) != getattr(claims, field):
                return refusal(Verdict.ALTERED, (*checks, say("record-disagrees", field=field)), now)
        return CheckResult(result.verdict, (*checks, say("credential-bound"), *result.checks), result.as_of, shown)

    def _result(self, path: str, body: bytes | None = None, kind: str | None = None) -> CheckResult:
        return _result_in(self._send(path, JSON, body, kind, problems=True))

    def _get(self, path: str, accept: str) -> bytes | None:
        return self._send(path, accept, None, None, problems=False)

    def _send(self, path: str, accept: str, body: bytes | None, kind: str | None, *, problems: bool) -> bytes | None:
        headers = {"Accept": accept} | ({"Content-Type": kind} if kind else {})
        request = urllib.request.Request(self._base + path, data=body, headers=headers)  # noqa: S310 - scheme checked
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 # nosec B310
                return bytes(answer.read(_MAX_BODY))
        except urllib.error.HTTPError as error:
            with error:
                if problems:
                    return bytes(error.read(_MAX_BODY))
                if error.code == _NOT_FOUND:
                    return None
            raise ServerError(f"服务器答复 {error.code} / the server answered {error.code}") from error
        except (OSError, ValueError) as error:
            raise ServerError(f"无法连接 {host_of(self._base)} / cannot reach it") from error


def _challenge_in(answer: bytes | None) -> Any:
    """What a problem document asks to be solved, or None."""
    try:
        body = json.loads(answer or b"")
    except ValueError:
        return None
    return body.get("challenge") if isinstance(body, dict) and "verdict" not in body else None


def _result_in(answer: bytes | None) -> CheckResult:
    try:
        return _read_result(json.loads(answer or b""))
    except (ValueError, KeyError, TypeError) as error:
        raise ServerError(_problem(answer)) from error


def _read_change(token: str, sequence: int, line: dict[str, Any]) -> StatusChange:
    reason = line["reason_class"]
    return StatusChange(
        token=token,
        sequence=sequence,
        status=CertificateStatus(line["status"]),
        reason_class=None if reason is None else ReasonClass(reason),
        effective_on=date.fromisoformat(line["effective_on"]),
        changed_at=datetime.fromisoformat(line["changed_at"]),
        from_beginning=line["from_beginning"] is True,
    )


def _read_result(body: Any) -> CheckResult:
    certificate = body["certificate"]
    if certificate is not None:
        values: dict[str, Any] = dict.fromkeys(PublicCertificate.__slots__)
        values |= {key: value for key, value in certificate.items() if key in values}
        for key in _DATES:
            values[key] = date.fromisoformat(values[key]) if values[key] else None
        changed = values["status_changed_at"]
        values["status_changed_at"] = datetime.fromisoformat(changed) if changed else None
        certificate = PublicCertificate(**values)
    checks = tuple(Check(**check) for check in body["checks"])
    return CheckResult(Verdict(body["verdict"]), checks, datetime.fromisoformat(body["as_of"]), certificate)


def _problem(answer: bytes | None) -> str:
    """One line from a problem document, or a plain statement."""
    try:
        body = json.loads(answer or b"")
        return " ".join(str(body["detail"] if "detail" in body else body["title"]).split())[:300]
    except (ValueError, KeyError, TypeError):
        return "服务器的答复不是核验结果 / the server's answer is no result"
