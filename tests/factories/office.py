"""The private side's application over a world, with an account and a token for every role."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from fastapi.testclient import TestClient

from issuer.access.passwords import hashed
from issuer.access.service import digest, issue_api_token
from issuer.api.access import SESSION_COOKIE
from issuer.app import create_issuer_app
from issuer.records.access import StaffAccount, StaffSession
from issuer.records.encryption import use_data_key
from issuer.rules.terms import Role
from tests.factories.world import World

CSRF = "csrf-of-the-test"
PASSWORD = "correct horse battery staple"
BASE = "http://testserver"
USERNAMES = {
    "issuer": Role.AUTHORITY_ISSUER,
    "approver": Role.AUTHORITY_APPROVER,
    "second": Role.AUTHORITY_APPROVER,
    "reviewer": Role.REVIEW_BODY,
    "stranger": Role.REVIEW_BODY,
    "supervisor": Role.SUPERVISOR,
    "auditor": Role.AUDITOR,
    "operator": Role.OPERATOR,
}
"""`stranger` reviews another programme; the others one role each."""


@dataclass
class Office:
    """A running application; `as_(username)` is a program with that account's token, `desk` a browser."""

    world: World
    app: object
    tokens: dict[str, str]

    def as_(self, username: str) -> TestClient:
        """Calls with a token."""
        use_data_key(self.world.ctx.data_key)
        headers = {"Authorization": f"Bearer {self.tokens[username]}"}
        return TestClient(self.app, BASE, headers=headers, raise_server_exceptions=False)  # type: ignore[arg-type]

    def desk(self, username: str) -> TestClient:
        """A browser with an open session, whose forms carry CSRF; redirects are not followed."""
        ctx = self.world.ctx
        secret = f"session-of-{username}"
        now = ctx.clock.now()
        with ctx.database.write() as session:
            session.merge(
                StaffSession(
                    secret_sha256=digest(secret),
                    username=username,
                    csrf=CSRF,
                    created_at=now,
                    expires_at=now + timedelta(hours=1),
                )
            )
        client = self.anybody()
        client.cookies.set(SESSION_COOKIE, secret)
        return client

    def anybody(self) -> TestClient:
        """Nobody signed in."""
        use_data_key(self.world.ctx.data_key)
        return TestClient(self.app, BASE, follow_redirects=False, raise_server_exceptions=False)  # type: ignore[arg-type]


def staff_up(world: World, *, signs_in: bool = False) -> dict[str, str]:
    """An account for each of USERNAMES, if it has none; their API tokens.

    `signs_in`: with PASSWORD (hashing takes its time).
    """
    password_hash = hashed(PASSWORD) if signs_in else "nobody signs in with this"
    programme = world.sitting.split("-")[0]
    ctx = world.ctx
    tokens = {}
    with ctx.database.write() as session:
        for username, role in USERNAMES.items():
            if session.get(StaffAccount, username) is not None:
                continue
            own = {"reviewer": [programme], "stranger": ["OTHER"]}.get(username, [])
            session.add(
                StaffAccount(
                    username=username,
                    display_name=username,
                    password_hash=password_hash,
                    roles=[role],
                    programmes=own,
                    cities=[],
                    created_at=ctx.clock.now(),
                )
            )
        session.flush()
        for username in USERNAMES:
            tokens[username] = issue_api_token(session, ctx.clock, username=username, label="test", days=30)
    return tokens


@contextmanager
def office_over(world: World, *, signs_in: bool = False) -> Iterator[Office]:
    """The application over `world`; background work is ended with the block."""
    tokens = staff_up(world, signs_in=signs_in)
    yield Office(world, create_issuer_app(world.ctx), tokens)
