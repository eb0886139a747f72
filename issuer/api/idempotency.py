"""`Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header): a repeated POST gets the first answer.

The key and the answer are stored in the transaction of the effect, so neither exists without the other; what the
answer reads, it reads in that transaction. Requests with one key at the same moment follow one another.
Refusals are not stored: asking again asks the law again. What was asked rests as a keyed digest and the answer
encrypted, since both may hold personal data.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import JSONResponse
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.errors import ConflictError, DomainError, InputError, Words
from issuer.records.ledger import IdempotencyKey

MAX_KEY = 120
REPLAYED = "Idempotent-Replayed"
REQUEST, ANSWER = "idempotency_keys.request", "idempotency_keys.response"
"""Purposes of the keys that digest the one and encrypt the other."""

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="重复提交时返回首次结果 / a repeat gets the first answer"),
]


def once(
    ctx: Context,
    actor: Actor,
    key: str | None,
    route: str,
    request: Any,
    act: Callable[[], Any],
    status_code: int = 200,
) -> JSONResponse:
    """Run `act` (which calls a service and returns a JSON body) at most once per key, route and actor.

    `request` is what was asked, as JSON values: the same key with another request is a ConflictError.
    Without a key `act` simply runs. DomainErrors of `act` pass through.
    """
    if key is None:
        return JSONResponse(act(), status_code)
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise InputError("idempotency-key", Words("Idempotency-Key 格式不对。", "The Idempotency-Key is unusable."))
    asked = ctx.data_key.blind_index(REQUEST, json.dumps(request, sort_keys=True, default=str))
    try:
        return _answer(ctx, actor, key, route, asked, act, status_code)
    except IntegrityError:
        # The same key at the same moment: whoever committed first has the effect, and their answer is the answer.
        with ctx.database.read() as session:
            stored = session.get(IdempotencyKey, (key, route, actor.username))
        if stored is None:
            raise
        return _replayed(ctx, stored, asked)


def is_replayed(answer: JSONResponse) -> bool:
    """Whether this is the answer to an earlier request with the same key."""
    return REPLAYED in answer.headers


def _answer(
    ctx: Context, actor: Actor, key: str, route: str, asked: str, act: Callable[[], Any], status_code: int
) -> JSONResponse:
    refusal: DomainError | None = None
    with ctx.database.together() as session:
        _wait_for_the_same(session, f"{actor.username}\0{route}\0{key}")
        stored = session.get(IdempotencyKey, (key, route, actor.username))
        if stored is not None:
            return _replayed(ctx, stored, asked)
        try:
            body = act()
        except DomainError as exc:
            refusal = exc  # what a refusing service put on record is kept
        else:
            body = json.loads(json.dumps(body, default=str))
            session.add(
                IdempotencyKey(
                    key=key,
                    route=route,
                    actor=actor.username,
                    request_sha256=asked,
                    status_code=status_code,
                    response=_sealed(ctx, body),
                    created_at=ctx.clock.now(),
                )
            )
    if refusal is not None:
        raise refusal
    return JSONResponse(body, status_code)


def _wait_for_the_same(session: Session, name: str) -> None:
    # SQLite has one writer at a time anyway. Without this, who comes second on PostgreSQL would wait inside `act` for
    # the first one's rows and then be told that it is done already, instead of getting the first one's answer.
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"ecert-once/{name}".encode()).digest()[:8], "big", signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))


def _sealed(ctx: Context, body: Any) -> dict[str, str]:
    sealed = ctx.data_key.seal(ANSWER, json.dumps(body).encode())
    return {"sealed": base64.b64encode(sealed).decode()}


def _replayed(ctx: Context, stored: IdempotencyKey, asked: str) -> JSONResponse:
    if stored.request_sha256 != asked:
        raise ConflictError(
            "idempotency-key-reused",
            Words("该 Idempotency-Key 已用于另一请求。", "That Idempotency-Key belongs to another request."),
            remedy=Words("请换一个新的 Key。", "Use a new key."),
        )
    body = json.loads(ctx.data_key.open(ANSWER, base64.b64decode(stored.response["sealed"])))
    return JSONResponse(body, stored.status_code, headers={REPLAYED: "true"})
