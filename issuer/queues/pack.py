"""The auditor's pack: one zip about a person, a case or a sample, with what proves it, its list signed.

It holds names, so it is made for supervisors and auditors only, and that it was made is itself an event in it.
"""

import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.audit import ChainReport, chain_head, record_event, verify_chain
from issuer.context import Context
from issuer.errors import DomainError, InputError, NotFoundError, Words
from issuer.issuance.files import read_file
from issuer.queues.person import PersonHistory, events_about, show_person
from issuer.records.certificates import ECertificate, Invalidation
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.review.sitting import open_sitting
from issuer.rules.sampling import first_drawn, list_digest
from issuer.rules.terms import Role
from issuer.sealing.pack_manifest import sign_pack
from keys.public.keyset import load_key_set
from verifier.check.checker import Checker
from verifier.record.log_reading import origin_of
from verifier.record.register import SqlRegister

MAKERS: Final = (Role.AUDITOR, Role.SUPERVISOR)
MAX_LINKS: Final = 20_000
"""Longest stretch of the chain that is put into a pack; a longer one is proved by the report alone."""
MOST_SAMPLED: Final = 50
MAX_SEED: Final = 64
README, KEYS, SUMS, SIGNATURE = "README.txt", "ecert-keys.json", "SHA256SUMS", "SHA256SUMS.signed"
"""`SIGNATURE` is a signed note over SUMS (`issuer.sealing.pack_manifest`); neither is listed in SUMS."""
Tell = Callable[[int, int], None]
"""Told how many events of the chain were walked, of how many."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A zip and its file name, which names nobody."""

    name: str
    content: bytes


def pack_of_person(ctx: Context, actor: Actor, person_id: int, tell: Tell | None = None) -> Pack:
    """Everything about a person within reach. Raises NotFoundError, NotAllowedError."""
    actor.require(*MAKERS)
    return _pack(ctx, [show_person(ctx, actor, person_id, page="pack")], f"person-{person_id}", {}, tell)


def pack_of_case(ctx: Context, actor: Actor, case_id: int, tell: Tell | None = None) -> Pack:
    """Everything about the person of a case of invalidation, and which case was asked for. Raises as above."""
    actor.require(*MAKERS)
    with ctx.database.read() as session:
        case = session.get(Invalidation, case_id)
        if case is None:
            raise NotFoundError("case-unknown", Words("没有这个事项。", "There is no such case."))
        person_id = session.get_one(Registration, case.registration_id).person_id
    history = show_person(ctx, actor, person_id, page="pack")
    return _pack(ctx, [history], f"case-{case_id}", {"case": case_id}, tell)


def pack_of_sample(
    ctx: Context, actor: Actor, sitting_code: str, count: int, seed: str | None = None, tell: Tell | None = None
) -> Pack:
    """Everything about `count` people of a sitting, picked by a seed: the same seed and list give the same people.

    Without a seed one is made; it stands in the pack and in the audit trail, so that anybody can draw again. Raises
    InputError (count, seed, nobody sat), NotFoundError, NotAllowedError (R1, R15).
    """
    actor.require(*MAKERS)
    seed = (seed or "").strip() or secrets.token_hex(16)
    if not 1 <= count <= MOST_SAMPLED or len(seed) > MAX_SEED:
        raise InputError(
            "pack-sample",
            Words(
                f"抽样人数为 1 至 {MOST_SAMPLED}，种子不超过 {MAX_SEED} 字。",
                f"A sample has 1 to {MOST_SAMPLED} people, a seed at most {MAX_SEED} characters.",
            ),
        )
    with ctx.database.write() as session:
        open_sitting(session, actor, sitting_code, MAKERS)
        sat = select(Registration.admission_no, Registration.person_id).where(
            Registration.sitting_code == sitting_code
        )
        people = dict(session.execute(sat).all())
        if not people:
            raise InputError("pack-nobody", Words("本批次没有人员。", "Nobody sat there."))
        picked = first_drawn(seed, people, count)
        sample = {
            "sitting": sitting_code,
            "seed": seed,
            "count": len(picked),
            "population": len(people),
            "list_sha256": list_digest(people),
        }
        record_event(
            session, ctx.clock, actor, "pack.sample", f"sitting:{sitting_code}", clause="R15", details=sample
        )
    histories = [show_person(ctx, actor, people[number], page="pack") for number in picked]
    return _pack(ctx, histories, f"sample-{sitting_code}", {"sample": sample | {"picked": picked}}, tell)


def _pack(
    ctx: Context, histories: Sequence[PersonHistory], about: str, asked: dict[str, Any], tell: Tell | None
) -> Pack:
    now = ctx.clock.now()
    subjects = tuple(dict.fromkeys(subject for history in histories for subject in history.subjects))
    with ctx.database.read() as session:
        last = chain_head(session).sequence
        report = verify_chain(session, tell=(lambda done: tell(done, max(last, done))) if tell else None)
        events = events_about(session, subjects)
        first = events[0].sequence
        links: list[AuditEvent] = []
        if report.head.sequence - first < MAX_LINKS:
            links = list(
                session.scalars(select(AuditEvent).where(AuditEvent.sequence >= first).order_by(AuditEvent.sequence))
            )
    files: dict[str, bytes] = {
        README: _readme(about, now, report, bool(links)).encode(),
        "events.jsonl": b"".join(_line(event) for event in events),
        "chain.jsonl": b"".join(_line(event) for event in links),
        "chain-report.json": _json(
            {
                "intact": report.intact,
                "events": report.events,
                "head": str(report.head),
                "faults": [asdict(fault) for fault in report.faults[:100]],
                "from": first,
            }
        ),
        KEYS: _json(load_key_set(ctx.settings.keys_dir).to_json()),
    }
    alone = len(histories) == 1 and "sample" not in asked
    if not alone:
        files["sample.json"] = _json({"about": about, "made_at": now, **asked})
    for history in histories:
        place = "" if alone else f"person-{history.person_id}/"
        with ctx.database.read() as session:
            certificates = session.scalars(
                select(ECertificate)
                .where(ECertificate.registration_id.in_([row.id for row in history.registrations]))
                .order_by(ECertificate.id)
            ).all()
        files[f"{place}summary.json"] = _json(_summary(history, about, asked.get("case"), now))
        files[f"{place}documents.json"] = _json([_document(ctx, certificate) for certificate in certificates])
        files[f"{place}verification.json"] = _json(_verified(ctx, certificates))
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    files[SIGNATURE] = sign_pack(
        ctx.room(), origin_of(ctx.settings.verify_base_url), sums.encode(), len(files)
    ).encode()
    files[SUMS] = sums.encode()
    out = io.BytesIO()
    moment = now.timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, moment), files[name], zipfile.ZIP_DEFLATED)
    return Pack(f"ecert-{about}-{now:%Y%m%dT%H%M%SZ}.zip", out.getvalue())


def _summary(history: PersonHistory, about: str, case_id: int | None, now: datetime) -> dict[str, Any]:
    return {
        "about": about,
        "case": case_id,
        "made_at": now,
        "person": {
            "id": history.person_id,
            "names": history.names,
            "id_type": history.id_type,
            "id_masked": history.id_masked,
            "partial": history.partial,
        },
        "registrations": [asdict(row) for row in history.registrations],
        "happenings": [asdict(row) for row in history.happenings],
        "looks": [asdict(row) for row in history.looks],
        "subjects": history.subjects,
    }


def _document(ctx: Context, certificate: ECertificate) -> dict[str, Any]:
    try:
        stored: str | None = hashlib.sha256(read_file(ctx, certificate)).hexdigest()
        fault = None
    except DomainError as refusal:
        stored, fault = None, refusal.code
    return {
        "management_no": certificate.management_no,
        "state": certificate.state,
        "recorded_sha256": certificate.file_sha256,
        "stored_sha256": stored,
        "fault": fault,
        "credential_sha256": certificate.credential_sha256,
    }


def _verified(ctx: Context, certificates: Any) -> list[dict[str, Any]]:
    """The check an employer would run, on each published file."""
    register = SqlRegister(ctx.settings.register_database)
    try:
        keys = load_key_set(ctx.settings.keys_dir)
        origins = (ctx.settings.verify_base_url,)
        checker = Checker(register, lambda: keys, ctx.lookup_key, ctx.clock.now, origins)
        out = []
        for certificate in certificates:
            if certificate.published_at is None:
                continue
            try:
                result = checker.check_pdf(read_file(ctx, certificate)).to_json()
            except DomainError as refusal:
                result = {"verdict": "status_unknown", "fault": refusal.code}
            out.append({"management_no": certificate.management_no} | result)
        return out
    finally:
        register.close()


def _line(event: AuditEvent) -> bytes:
    row = {
        "sequence": event.sequence,
        "previous_hash": bytes(event.previous_hash).hex(),
        "at": event.at,
        "actor": event.actor,
        "act": event.act,
        "subject": event.subject,
        "clause": event.clause,
        "outcome": event.outcome,
        "details": event.details,
        "event_hash": bytes(event.event_hash).hex(),
    }
    return json.dumps(row, ensure_ascii=False, sort_keys=True, default=_plain).encode() + b"\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain).encode() + b"\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no plain form")


def _readme(about: str, now: datetime, report: ChainReport, linked: bool) -> str:
    proof = (
        "chain.jsonl 为自最早相关事件起至链首的全部事件，可逐条重算哈希。"
        if linked
        else "区间过长，未附链段；以 chain-report.json 与另存的链首为证。"
    )
    proof_en = (
        "chain.jsonl holds every event from the first one concerned to the head: recompute them one by one."
        if linked
        else "The stretch is too long to be enclosed: rely on chain-report.json and a head kept elsewhere."
    )
    return f"""审计材料包 {about}
生成时间 {now.isoformat()}；审计链 {"完整" if report.intact else "不完整"}，链首 {report.head}
内含个人信息，仅供审计、监督使用。

summary.json       基本情况与全部经过
events.jsonl       相关审计事件（含哈希）
chain.jsonl        {proof}
documents.json     证书文件摘要：登记值与存储值
verification.json  对每份证书文件的完整核验结果
SHA256SUMS         以上文件的 SHA-256：sha256sum -c SHA256SUMS
SHA256SUMS.signed  对 SHA256SUMS 的签名；ecert-keys.json 为公开密钥集
核验本包：ecert audit pack-check 本文件.zip

Audit pack {about}, made at {now.isoformat()}. Check it: ecert audit pack-check FILE.zip
The chain is {"whole" if report.intact else "BROKEN"}; its head is {report.head}.
An event's hash is SHA-256 over the canonical JSON (sorted keys, no blanks, UTF-8) of all its fields but event_hash.
{proof_en}
"""
