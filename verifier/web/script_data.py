"""What the pages' scripts need: keys, the register's answer, and words for all they may find."""

import json
import re
from typing import Any, Final

from verifier.check.words import PHRASES, say
from verifier.record.log_reading import origin_of
from verifier.record.public_record import PublicRecord
from verifier.record.verdict import Check, CheckResult, Verdict
from verifier.web.faces import (
    COPY_VALID,
    FACES,
    LOG_DISAGREES,
    PENDING,
    SIGNATURE_UNCHECKED,
    VALID_OFFLINE,
)
from verifier.web.keyfile import LoadedKeys
from verifier.web.page_words import LIST_UNREADABLE, LOG_CHECKS, LOG_UNAVAILABLE, UNVERIFIABLE
from verifier.web.view import OUTCOMES, RARE, SIGNED

LOG_SCRIPT: Final = "/log/check.js"
LOG_PROOF: Final = "/log/proof/"
"""Address of the proofs of inclusion, before the token."""
_PLACE: Final = re.compile(r"\{(\w+)\}")
_SCRIPT_CODES: Final = (
    "credential-malformed",
    "credential-altered",
    "credential-untrusted",
    "credential-verified",
    "credential-bound",
    "credential-other-certificate",
    "credential-not-registered",
    "record-disagrees",
)
_OFFLINE_CODES: Final = (
    "copy-current",
    "copy-expired",
    "copy-withdrawn",
    "own-origin",
    "foreign-host",
    "token-shape",
    "offline-needs-payload",
    "credential-malformed",
    "credential-altered",
    "credential-untrusted",
    "credential-verified",
    "credential-other-certificate",
    "credential-key-unknown",
    "status-list-missing",
    "status-list-expired",
    "status-list-untrusted",
    "status-list-current",
    "status-valid",
    "status-invalid",
    "status-suspended",
    "status-superseded",
)
_ONLINE: Final = (
    "请连上网络后重查；在得到明确结果之前，不要当作有效证书使用。",
    "Check again online; until there is a clear answer do not treat it as valid.",
)
_REFUSALS: Final = {"credential-altered": Verdict.ALTERED, "credential-untrusted": Verdict.UNTRUSTED}


def script_data(
    token: str, result: CheckResult, record: PublicRecord | None, keys: LoadedKeys | None, official: str
) -> dict[str, Any]:
    """What the QR page's script needs: the register's answer, QR and log keys, and the words for what it may find."""
    verdicts = {result.verdict, Verdict.MALFORMED, Verdict.ALTERED, Verdict.UNTRUSTED, Verdict.STATUS_UNKNOWN}
    faces = {verdict.value: FACES[verdict].to_json() for verdict in sorted(verdicts)}
    copied = result.certificate.copy_of if result.certificate else None
    if copied and result.verdict is Verdict.VALID:
        faces[result.verdict.value] = COPY_VALID.to_json()
    faces["pending"] = PENDING.to_json()
    faces["unchecked"] = SIGNATURE_UNCHECKED.to_json()
    said = [_with_places(code) for code in _SCRIPT_CODES]
    return {
        "token": token,
        "logged": copied or token,
        "verdict": result.verdict.value,
        "record": None if record is None else _bound_fields(record),
        "keys": keys.qr_keys if keys else [],
        "log": official + LOG_SCRIPT,
        "words": {check.code: _words(check) for check in (*said, UNVERIFIABLE, LOG_UNAVAILABLE)},
        "faces": faces,
        "refusals": {code: verdict.value for code, verdict in _REFUSALS.items()},
        "outcomes": {json.dumps(ok): words for ok, words in OUTCOMES.items()},
        "signed": SIGNED,
        "rare": RARE,
        "compared": "签名数据与登记的对照（不可采信） Compared; do not rely on it",
    }


def log_data(keys: LoadedKeys, official: str) -> dict[str, Any]:
    """What the script that checks the log needs: where proofs are, whose log it is, and what it may say."""
    return {
        "address": official + LOG_PROOF,
        "origin": origin_of(official),
        "keys": keys.log_keys,
        "words": {check.code: _words(check) for check in LOG_CHECKS},
        "face": LOG_DISAGREES.to_json(),
    }


def offline_data(official: str, own: list[str]) -> dict[str, Any]:
    """What the page's script needs without a network: whose addresses are ours, and words for all it may find."""
    faces = {verdict.value: face.to_json() for verdict, face in FACES.items()}
    faces["valid"] = VALID_OFFLINE.to_json()
    said = {code: _words(_with_places(code)) for code in _OFFLINE_CODES}
    for words in said.values():
        if words["ok"] is None:
            words["remedy"], words["remedy_en"] = _ONLINE
    return {
        "official": official,
        "own": own,
        "words": said | {check.code: _words(check) for check in (UNVERIFIABLE, LIST_UNREADABLE)},
        "faces": faces,
        "refusals": {code: verdict.value for code, verdict in _REFUSALS.items()},
        "outcomes": {json.dumps(ok): words for ok, words in OUTCOMES.items()},
        "signed": SIGNED,
        "rare": RARE,
    }


def _with_places(code: str) -> Check:
    """What `code` says, with its places left open for the page's script."""
    places = dict.fromkeys(_PLACE.findall(PHRASES[code].zh + PHRASES[code].en))
    fixed = {"reason": "原因未公布", "reason_en": "reason not published", "successor": "", "successor_en": ""}
    return say(code, **{name: fixed.get(name, f"{{{name}}}") for name in places})


def _words(check: Check) -> dict[str, Any]:
    words = {"ok": check.ok, "zh": check.message, "en": check.message_en}
    return words | ({"remedy": check.remedy, "remedy_en": check.remedy_en} if check.remedy else {})


def _bound_fields(record: PublicRecord) -> dict[str, Any]:
    return {
        "programme_code": record.programme_code,
        "programme_name": record.programme_name,
        "level": record.level,
        "specialty": record.specialty,
        "approved_on": record.approved_on.isoformat(),
        "list_id": record.list_id,
        "list_index": record.list_index,
        "credential_sha256": record.credential_sha256,
    }
