"""`ecert demo`: a whole example from nothing, and a summary of what it left on disk."""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from issuer.clock import SimulatedClock, SystemClock
from issuer.context import Context, open_context
from issuer.demo import story
from issuer.demo.files import SITTING
from issuer.errors import ConflictError, DomainError, InputError, Words
from issuer.initialise import initialise
from issuer.invalidation import service as invalidation
from issuer.marker import MARKER
from issuer.paper.service import request_replacement
from issuer.records.certificates import ECertificate
from issuer.records.people import Registration
from issuer.rules.terms import InvalidationGround
from issuer.settings import Settings
from keys.public.keyset import load_key_set
from verifier.check.checker import Checker
from verifier.record.qr import qr_text
from verifier.record.register import SqlRegister

FIXED = "demo.json"
SUMMARY = "summary.json"
MAX_PEOPLE = 20_000

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Where the demo left things: `summary` as written to summary.json, passwords to be shown once more."""

    summary: dict[str, Any]
    summary_path: Path
    passwords: dict[str, str]


def run_demo(settings: Settings, people: int, workers: int, say: Say, on_progress: Progress) -> DemoResult:
    """Make the data folder, play the story, issue, invalidate one, refuse one paper request, check them all.

    A folder that already holds a finished demo is opened again as it is. Raises InputError (people outside
    1..20,000), ConflictError (the folder holds something else).
    """
    if not 1 <= people <= MAX_PEOPLE:
        raise InputError(
            "demo-people",
            Words(f"--people 须为 1 至 {MAX_PEOPLE}。", f"--people takes 1 to {MAX_PEOPLE}."),
        )
    done = _finished(settings.data_dir)
    if done is not None:
        say("沿用已有的示例数据 / the demo made earlier is used again")
        return done
    if (settings.data_dir / MARKER).exists():
        raise ConflictError(
            "not-a-demo-folder",
            Words(
                "该目录已有正式数据或未完成的示例，未作改动。",
                "That folder holds other data or an unfinished demo; nothing was changed.",
            ),
            remedy=Words("请用 --data-dir 另选一个空目录。", "Choose an empty folder with --data-dir."),
        )
    today = SystemClock().today()
    clock = SimulatedClock.on(today - timedelta(days=story.STORY_DAYS))
    say("建立数据目录与密钥 / data folder and keys")
    initialise(settings, clock)
    passwords = {
        name: secrets.token_urlsafe(12) for name in (story.PROPOSER, story.APPROVER, story.APPEALS, story.REVIEWER)
    }
    past = open_context(settings, clock)
    try:
        story.open_accounts(past, passwords)
        told = story.play_to_eligibility(past, clock, settings.data_dir / "exam-centre", people, today, say)
    finally:
        past.close()
    _write_private(
        settings.data_dir / FIXED, {"proposer": story.PROPOSER, "approver": story.APPROVER, "passwords": passwords}
    )
    ctx = open_context(settings)
    try:
        report = story.issue(ctx, workers, on_progress)
        say(f"制发 {report.published} 份证书 / issued, {report.seconds:.1f} s")
        undrawn = sum(refused.code == "glyph-missing" for refused in report.refused)
        if undrawn:
            say(f"{undrawn} 人姓名含生僻字，缺少字体 / rare names lack a font: apt install fonts-hanazono")
        invalidated = [_invalidate_one(ctx)] if report.published else []
        paper_refused = [_refuse_one_paper(ctx)] if report.published else []
        summary = _summarise(ctx, told.people, report.seconds, invalidated, paper_refused)
    finally:
        ctx.close()
    path = settings.data_dir / SUMMARY
    _write_private(path, summary)
    return DemoResult(summary, path, passwords)


def _finished(folder: Path) -> DemoResult | None:
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        fixed = json.loads((folder / FIXED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return DemoResult(summary, folder / SUMMARY, fixed["passwords"])


def _invalidate_one(ctx: Context) -> dict[str, Any]:
    """Supervision finds one holder ineligible: proposed by one person, approved by another (R9)."""
    with ctx.database.read() as session:
        # The last one: the first pages of the lists keep showing valid certificates.
        certificate = session.scalars(_published().order_by(ECertificate.id.desc()).limit(1)).one()
    ground = InvalidationGround.INELIGIBLE_IN_SUPERVISION
    basis = "示例：日常监管发现其报名时工作年限不符合报考条件（豫人社函〔2024〕25号 一（三））。"
    case = invalidation.propose(
        ctx, story.actor(ctx, story.PROPOSER), certificate.management_no, ground, basis, suspend=True
    )
    invalidation.approve(ctx, story.actor(ctx, story.APPROVER), case)
    return {
        "management_no": certificate.management_no,
        "ground": ground.value,
        "clause": ground.clause,
        "proposed_by": story.PROPOSER,
        "approved_by": story.APPROVER,
    }


def _refuse_one_paper(ctx: Context) -> dict[str, Any]:
    """A holder asks for paper although an electronic certificate was made: refused (R14)."""
    with ctx.database.read() as session:
        certificate = session.scalars(_published().order_by(ECertificate.id).limit(1)).one()
    try:
        request_replacement(
            ctx,
            story.actor(ctx, story.PROPOSER),
            management_no=certificate.management_no,
            reason="示例：申请补发纸质证书。",
        )
    except DomainError as refusal:
        return {
            "management_no": certificate.management_no,
            "clause": refusal.clause,
            "code": refusal.code,
            "message": refusal.words.zh,
            "message_en": refusal.words.en,
        }
    raise AssertionError("a paper request beside an electronic certificate was accepted")


def _summarise(
    ctx: Context, people: int, seconds: float, invalidated: list[dict[str, Any]], paper_refused: list[dict[str, Any]]
) -> dict[str, Any]:
    folder = (ctx.settings.data_dir / "certificates").resolve()
    folder.mkdir(exist_ok=True)
    base_url = ctx.settings.verify_base_url
    register = SqlRegister(ctx.settings.register_database)
    try:
        keys = load_key_set(ctx.settings.keys_dir)
        checker = Checker(register, lambda: keys, ctx.lookup_key, ctx.clock.now, (base_url,))
        with ctx.database.read() as session:
            certificates = session.scalars(_published().order_by(ECertificate.id)).all()
        lines = []
        for certificate in certificates:
            path = folder / f"{certificate.management_no}.pdf"
            path.write_bytes(ctx.storage.get(certificate.file_key or ""))
            sealed = certificate.credential or b""
            credential = ctx.data_key.open("e_certificates.credential", sealed)
            text = qr_text(base_url, certificate.token, credential)
            lines.append(
                {
                    "management_no": certificate.management_no,
                    "name": certificate.name,
                    "pdf": str(path),
                    "qr_text": text,
                    "verify_url": f"{base_url}/v/{certificate.token}",
                    "verdict": checker.check_qr(text).verdict.value,
                }
            )
    finally:
        register.close()
    fallen = {line["management_no"] for line in invalidated}
    verdicts = {line["management_no"]: line["verdict"] for line in lines}
    return {
        "people": people,
        "issued": len(lines),
        "rejected": people - len(lines),
        "seconds_issue": round(seconds, 3),
        "sitting": SITTING,
        "certificates": lines,
        "invalidated": [line | {"verdict": verdicts[line["management_no"]]} for line in invalidated if fallen],
        "paper_refused": paper_refused,
    }


def _published() -> Any:
    return (
        select(ECertificate)
        .join(Registration, ECertificate.registration_id == Registration.id)
        .where(ECertificate.sitting_code == SITTING, ECertificate.state == "published")
    )


def _write_private(path: Path, value: dict[str, Any]) -> None:
    """Owner-only: the demo's people are invented, its passwords are not."""
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
    part.replace(path)
