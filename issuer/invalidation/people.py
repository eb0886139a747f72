"""Which two people act when somebody types `ecert revoke` or `ecert reinstate`."""

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.access.service import actor_for
from issuer.errors import InputError, Words
from issuer.invalidation.guards import same_person
from issuer.invalidation.service import APPROVERS, PROPOSERS
from issuer.ports import ServiceContext
from issuer.records.access import StaffAccount
from issuer.rules.terms import Role

DEMO = "demo.json"


@dataclass(frozen=True, slots=True)
class Pair:
    """Who proposes, and who approves at once (None: the proposal waits). `sample`: the demo's own accounts."""

    proposer: Actor
    approver: Actor | None
    sample: bool = False


def name_people(
    ctx: ServiceContext,
    fallback: Actor,
    clause: str,
    *,
    proposed_by: str | None,
    approved_by: str | None,
    not_by: str | None = None,
) -> Pair:
    """Find the people before anything is written.

    `fallback` proposes when nobody is named and this is no demo folder; `not_by` may not approve (who
    approved an invalidation does not decide on its appeal). Raises NotFoundError, NotAllowedError
    (inactive account, missing role, one person in both parts), InputError.
    """
    if approved_by is not None and proposed_by is None:
        raise InputError(
            "proposer-not-named",
            Words("指明批准人时须同时指明提议人。", "Name the proposer as well."),
            remedy=Words("请加 --proposed-by。", "Add --proposed-by."),
        )
    sample = False
    if proposed_by is None and (demo := _demo_people(ctx, not_by)) is not None:
        (proposed_by, approved_by), sample = demo, True
    proposer = _account(ctx, proposed_by, PROPOSERS) if proposed_by else fallback
    if approved_by is None:
        return Pair(proposer, None, sample)
    approver = _account(ctx, approved_by, APPROVERS)
    if proposer.username.casefold() == approver.username.casefold():
        raise same_person(clause)
    return Pair(proposer, approver, sample)


def possible_approvers(ctx: ServiceContext, proposer: str, not_by: str | None = None) -> list[str]:
    """Active accounts that may decide on a proposal of `proposer`."""
    out = {name.casefold() for name in (proposer, not_by) if name}
    with ctx.database.read() as session:
        accounts = session.scalars(select(StaffAccount).where(StaffAccount.active).order_by(StaffAccount.username))
        return [
            account.username
            for account in accounts
            if Role.AUTHORITY_APPROVER in account.roles and account.username.casefold() not in out
        ]


def _account(ctx: ServiceContext, username: str, roles: tuple[Role, ...]) -> Actor:
    with ctx.database.read() as session:
        actor = actor_for(session, username, "cli")
    actor.require(*roles)
    return actor


def _demo_people(ctx: ServiceContext, not_by: str | None) -> tuple[str, str | None] | None:
    path: Path = ctx.settings.data_dir / DEMO
    try:
        accounts = json.loads(path.read_text(encoding="utf-8"))
        proposer, approver = str(accounts["proposer"]), str(accounts["approver"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not_by is not None and approver.casefold() == not_by.casefold():
        others = possible_approvers(ctx, proposer, not_by)
        return proposer, others[0] if others else None
    return proposer, approver
