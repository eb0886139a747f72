"""Step 6: the status lists must be exactly what the changes in the log make them."""

import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from keys.public.keyset import KeySet
from verifier.audit.findings import Finding
from verifier.audit.sources import LISTS, Source, SourceError
from verifier.record.log_reading import Leaf, origin_of
from verifier.record.status import CertificateStatus
from verifier.record.status_list import (
    StatusList,
    StatusListError,
    StatusListExpiredError,
    VerifiedStatusList,
    list_path,
    verify_status_list,
)

_SHOWN = 20


def audit_lists(
    source: Source, key_set: KeySet, origin: str, leaves: Sequence[Leaf | None], now: datetime
) -> tuple[int, int, list[Finding]]:
    """How many lists there are, how many of their entries are not valid, and what disagrees; raises SourceError."""
    logged = replay(leaves)
    findings: list[Finding] = []
    count, entries_set = 0, 0
    for list_id in sorted(set(_published(source)) | set(logged), key=lambda name: (len(name), name)):
        token = source.get(list_path(list_id))
        if token is None:
            findings.append(Finding("list-missing", f"list {list_id}"))
            continue
        count += 1
        try:
            listed = verify_status_list(token, key_set, list_id=list_id, now=now)
        except StatusListExpiredError:
            findings.append(Finding("list-expired", f"list {list_id}"))
            continue
        except StatusListError:
            findings.append(Finding("list-untrusted", f"list {list_id}"))
            continue
        if not _of_this_log(listed, origin):
            findings.append(Finding("list-untrusted", f"list {list_id}: {listed.uri}"))
            continue
        differing, entries = _compare(list_id, listed.statuses, logged.get(list_id, {}))
        findings += differing
        entries_set += entries
    return count, entries_set, findings


def replay(leaves: Sequence[Leaf | None]) -> dict[str, dict[int, str]]:
    """List id → index → the status that the log gave last."""
    logged: dict[str, dict[int, str]] = {}
    for leaf in leaves:
        if leaf is not None and leaf.place is not None:
            logged.setdefault(leaf.place[0], {})[leaf.place[1]] = leaf.status
    return logged


def _published(source: Source) -> list[str]:
    content = source.get(LISTS)
    if content is None:
        raise SourceError("没有状态清单索引 / there is no index of status lists at that address")
    try:
        return [str(address).rstrip("/").rsplit("/", 1)[-1] for address in json.loads(content)["status_lists"]]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError("状态清单索引无法读取 / the index of status lists cannot be read") from error


def _of_this_log(listed: VerifiedStatusList, origin: str) -> bool:
    address = urlsplit(listed.uri)
    return origin_of(f"{address.scheme}://{address.netloc}") == origin


def _compare(list_id: str, statuses: StatusList, logged: dict[int, str]) -> tuple[list[Finding], int]:
    findings: list[Finding] = []
    expected = StatusList.empty(len(statuses), statuses.bits)
    try:
        for index, status in logged.items():
            expected.set(index, CertificateStatus(status).list_value)
    except (ValueError, IndexError):
        return [Finding("list-entry-differs", f"list {list_id}: an entry of the log does not fit it")], 0
    entries = 0
    same = expected.packed == statuses.packed
    if same:
        return [], sum(status != CertificateStatus.VALID for status in logged.values())
    for index in range(len(statuses)):
        listed, meant = statuses.get(index), expected.get(index)
        entries += listed != 0
        if listed != meant and len(findings) < _SHOWN:
            findings.append(Finding("list-entry-differs", f"list {list_id}, entry {index}: {listed}, log {meant}"))
    return findings, entries
