"""Defining a sitting: programme and dates from its file, as long as nothing rests on the old ones."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, Words
from issuer.records.certificates import ECertificate
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.roster.ports import RosterContext
from issuer.roster.sittings import SittingDefinition, read_definition
from issuer.rules.terms import Role

DEFINERS = (Role.AUTHORITY_ISSUER, Role.OPERATOR)
_FIXED_PROGRAMME = ("name", "level", "medium")
"""What certificates of a programme rest on; the rest of it may change for later ones."""


def define_sitting(ctx: RosterContext, actor: Actor, toml: bytes) -> Sitting:
    """Create or change a sitting and its programme from `sitting.toml`; the same file twice changes nothing.

    Raises NotAllowedError, InputError (unusable file), ConflictError (dates against R5–R7; a change that
    certificates or registrations already rest on). Returned rows are detached.
    """
    actor.require(*DEFINERS)
    with ctx.database.write() as session:
        definition = read_definition(toml, lambda code: _known_policy(session, code))
        changed = _apply_programme(session, definition) + _apply_sitting(session, definition)
        session.flush()
        sitting = session.get_one(Sitting, definition.sitting["code"])
        if changed:
            record_event(
                session, ctx.clock, actor, "sitting.define", f"sitting:{sitting.code}", details={"changed": changed}
            )
    return sitting


def _known_policy(session: Session, programme_code: str) -> Mapping[str, Any]:
    programme = session.get(Programme, programme_code)
    return programme.policy if programme else {}


def _apply_programme(session: Session, definition: SittingDefinition) -> list[str]:
    values = definition.programme
    row = session.get(Programme, values["code"])
    if row is None:
        session.add(Programme(**values, policy=definition.policy))
        session.flush()
        return ["programme"]
    changed = [key for key, value in values.items() if getattr(row, key) != value]
    if fixed := [key for key in changed if key in _FIXED_PROGRAMME]:
        issued = session.scalar(
            select(ECertificate.id)
            .join(Sitting, Sitting.code == ECertificate.sitting_code)
            .where(Sitting.programme_code == row.code)
            .limit(1)
        )
        if issued is not None:
            _refuse_change("programme-fixed", fixed, "该项目已制发证书", "certificates of this programme were made")
    for key in changed:
        setattr(row, key, values[key])
    policy = {**row.policy, **definition.policy}
    if policy != row.policy:
        row.policy = policy
        changed.append("policy")
    return [f"programme.{key}" for key in changed]


def _apply_sitting(session: Session, definition: SittingDefinition) -> list[str]:
    values = definition.sitting
    row = session.get(Sitting, values["code"])
    if row is None:
        session.add(Sitting(**values))
        return ["sitting"]
    values = _keep_opened_notice(row, values)
    changed = [key for key, value in values.items() if getattr(row, key) != value]
    # The order of specialties is part of the management number where the policy has no codes for them.
    if changed and session.scalar(select(ECertificate.id).where(ECertificate.sitting_code == row.code).limit(1)):
        _refuse_change("sitting-fixed", changed, "本次考试已制发证书", "certificates of this sitting were made")
    rests = [key for key in changed if key in ("pass_marks", "programme_code")]
    if set(row.specialties) - set(values["specialties"]):
        rests.append("specialties")
    if rests and session.scalar(select(Registration.id).where(Registration.sitting_code == row.code).limit(1)):
        _refuse_change("sitting-in-use", rests, "名单已按原定义导入", "a roster was imported by the old definition")
    for key in changed:
        setattr(row, key, values[key])
    return [f"sitting.{key}" for key in changed]


def _keep_opened_notice(row: Sitting, values: Mapping[str, Any]) -> dict[str, Any]:
    # The days of a notice that was opened are a fact (R5), not a plan: the file may lengthen it, never shorten it.
    opened = row.extra.get("notice_opened_on")
    if opened is None:
        return dict(values)
    return {
        **values,
        "notice_opens_on": row.notice_opens_on,
        "notice_closes_on": max(row.notice_closes_on, values["notice_closes_on"]),
        "extra": {**values["extra"], "notice_opened_on": opened},
    }


def _refuse_change(code: str, keys: list[str], why: str, why_en: str) -> None:
    names = ", ".join(keys)
    raise ConflictError(
        code,
        Words(
            f"{why}，不能再更改：{names}。原定义保持不变。",
            f"{why_en}; these cannot change: {names}. Kept as it was.",
        ),
        remedy=Words(
            "恢复这些值，或以新代码另行定义。", "Put these values back, or define it anew under another code."
        ),
    )
