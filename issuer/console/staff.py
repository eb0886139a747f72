"""Other people's accounts, for operators and supervisors: how they sign in, ending sessions, a lost second factor.

Accounts themselves are made, closed and given passwords by `ecert staff`.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access import passkeys, second_factor, service, sessions
from issuer.access.actor import ResetReason
from issuer.access.sign_in import subject
from issuer.audit import record_event
from issuer.console.session import Visit, acts, looks
from issuer.errors import DomainError
from issuer.problems import status_of
from issuer.records.access import Passkey, SecondFactor, StaffAccount, StaffIdentity, StaffSession
from issuer.rules.terms import Role

router = APIRouter(prefix="/console/staff", include_in_schema=False)

Looking = Annotated[Visit, looks(Role.OPERATOR, Role.SUPERVISOR)]
Ending = Annotated[Visit, acts(Role.OPERATOR, Role.SUPERVISOR)]
Resetting = Annotated[Visit, acts(Role.OPERATOR)]
Username = Annotated[str, Path(min_length=1, max_length=80)]
Name = Annotated[str, Path(pattern=f"^[0-9a-f]{{{sessions.NAME_LENGTH}}}$")]
PAGE = 100


@router.get("")
def listing(visit: Looking, after: str = "") -> Response:
    """All accounts, by user name, a hundred at a time."""
    with visit.ctx.database.read() as session:
        wanted = select(StaffAccount).where(StaffAccount.username > after).order_by(StaffAccount.username)
        accounts = session.scalars(wanted.limit(PAGE + 1)).all()
        names = [account.username for account in accounts[:PAGE]]
        open_now = select(StaffSession.username, func.count()).where(
            StaffSession.username.in_(names), StaffSession.expires_at > visit.ctx.clock.now()
        )
        counts = {name: count for name, count in session.execute(open_now.group_by(StaffSession.username))}  # noqa: C416
        apps = select(SecondFactor.username).where(
            SecondFactor.username.in_(names), SecondFactor.confirmed_at.is_not(None)
        )
        protected = {
            *session.scalars(apps),
            *session.scalars(select(Passkey.username).where(Passkey.username.in_(names))),
        }
    more = names[-1] if len(accounts) > PAGE else None
    return visit.render("staff.html", accounts=accounts[:PAGE], counts=counts, protected=protected, more=more)


@router.get("/{username}")
def one(visit: Looking, username: Username) -> Response:
    """One account: roles, ways to sign in, open sessions."""
    return _page(visit, username, None)


@router.post("/{username}/sessions/end-all")
def end_all(visit: Ending, username: Username) -> Response:
    """End all sessions of somebody."""
    with visit.ctx.database.write() as session:
        service.require_account(session, username)
        ended = service.end_sessions(session, username)
        _record(session, visit, "staff.end-sessions", username, {"sessions": ended})
    return _back(username)


@router.post("/{username}/sessions/{name}/end")
def end_one(visit: Ending, username: Username, name: Name) -> Response:
    """End one session of somebody."""
    try:
        with visit.ctx.database.write() as session:
            sessions.end(session, visit.ctx.clock, username, name)
            _record(session, visit, "staff.end-session", username, {"session": name})
    except DomainError as refusal:
        return _page(visit, username, refusal)
    return _back(username)


@router.post("/{username}/reset-second-factor")
def reset(visit: Resetting, username: Username, reason: Annotated[ResetReason, Form()]) -> Response:
    """Take a lost second factor off somebody else's account; their sessions end."""
    try:
        with visit.ctx.database.write() as session:
            removed = service.reset_second_factor(session, visit.actor, username)
            details = {"removed": removed, "reason": reason}
            _record(session, visit, "staff.reset-second-factor", username, details)
    except DomainError as refusal:
        return _page(visit, username, refusal)
    return _back(username)


def _page(visit: Visit, username: str, refusal: DomainError | None) -> Response:
    ctx = visit.ctx
    with ctx.database.read() as session:
        account = service.require_account(session, username)
        shown = {
            "account": account,
            "enrolled": second_factor.is_enrolled(session, username),
            "known": passkeys.listing(session, username),
            "left": second_factor.codes_left(session, username),
            "links": session.scalars(select(StaffIdentity).where(StaffIdentity.username == username)).all(),
            "rows": sessions.listing(session, ctx.clock, username),
        }
    locked = account.locked_until is not None and account.locked_until > ctx.clock.now()
    status = 200 if refusal is None else status_of(refusal)
    return visit.render(
        "staff_account.html",
        status,
        refusal=refusal,
        locked=locked,
        reasons=list(ResetReason),
        may_reset=visit.may(Role.OPERATOR) and username != visit.actor.username,
        **shown,
    )


def _record(session: Session, visit: Visit, act: str, username: str, details: dict[str, object]) -> None:
    record_event(session, visit.ctx.clock, visit.actor, act, subject(username), details=details)


def _back(username: str) -> Response:
    return RedirectResponse(f"/console/staff/{quote(username, safe='')}", 303)
