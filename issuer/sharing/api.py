"""Watching over HTTP, for anybody: no account, but an address that has confirmed and the secret it was sent.

`Authorization: Bearer LINK`, where LINK is the last part of the `manage_url` in every message.
"""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Header, Request, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from issuer.access.actor import Actor
from issuer.api.access import Ctx
from issuer.api.idempotency import Key, once
from issuer.api.models import problems
from issuer.api.uploads import on_disk, sha256_of
from issuer.context import Context
from issuer.errors import InputError, NotAllowedError, Words
from issuer.holders.limits import SignInLimits
from issuer.pages import client_address
from issuer.rules.watching import MAX_LABEL, MAX_ORGANISATION
from issuer.sharing import watchers
from issuer.sharing.roster_file import read_list
from issuer.sharing.watchers import Asked, WatcherView

router = APIRouter(prefix="/api/v1/watches", tags=["watches"])

Bearer = Annotated[str | None, Header(alias="Authorization", description="Bearer LINK", max_length=200)]


class WatchedCertificate(BaseModel):
    """Which certificate: `token`, or `management_no` with `name`."""

    model_config = ConfigDict(extra="forbid")

    token: str | None = Field(default=None, min_length=26, max_length=26)
    management_no: str | None = Field(default=None, min_length=1, max_length=64)
    name: str | None = Field(default=None, min_length=1, max_length=128)
    label: str | None = Field(default=None, max_length=MAX_LABEL, description="您的备注 / told back to you only")

    @model_validator(mode="after")
    def _one_way(self) -> "WatchedCertificate":
        if (self.token is None) == (self.management_no is None or self.name is None):
            raise ValueError("give either token, or management_no and name")
        return self

    def asked(self) -> Asked:
        """As the service takes it."""
        return Asked(self.token, self.management_no, self.name, self.label)


class NewWatch(WatchedCertificate):
    """A certificate to watch, and where to tell: `email` or `webhook`. The holder sees `organisation`."""

    organisation: str = Field(min_length=1, max_length=MAX_ORGANISATION)
    email: str | None = Field(default=None, max_length=254)
    webhook: str | None = Field(default=None, max_length=500)

    @model_validator(mode="after")
    def _one_address(self) -> "NewWatch":
        if (self.email is None) == (self.webhook is None):
            raise ValueError("give either email or webhook")
        return self


class BegunWatch(BaseModel):
    """The address is asked to confirm; nothing else is sent before. `public_key` checks a webhook's signatures."""

    watcher: str
    state: str
    expires_on: date
    public_key: str | None


class WatchLine(BaseModel):
    """One watch."""

    id: int
    token: str
    label: str | None
    status: str
    since: datetime
    expires_on: date
    ended_by: str | None


class Watcher(BaseModel):
    """An address and what it watches."""

    watcher: str
    kind: str
    organisation: str
    state: str
    public_key: str | None
    watches: list[WatchLine]


class Certificates(BaseModel):
    """Up to 100 certificates to watch from a confirmed address."""

    model_config = ConfigDict(extra="forbid")

    items: list[WatchedCertificate] = Field(min_length=1, max_length=100)


class Results(BaseModel):
    """For each line: watching, already, or not-found (unknown number and wrong name alike)."""

    results: list[str]


class Ending(BaseModel):
    """Which watch to end; null ends them all, and nothing is sent to the address any more."""

    model_config = ConfigDict(extra="forbid")

    watch: int | None = None


@router.post("", status_code=202, response_model=BegunWatch, responses=problems(404, 409, 422, 503))
def begin(request: Request, ctx: Ctx, body: NewWatch, key: Key = None) -> JSONResponse:
    """Ask to be told when a certificate changes. The address must confirm first."""
    address, kind = (body.email, "email") if body.email else (body.webhook or "", "webhook")
    limit_watching(request, ctx, address)

    def act() -> dict[str, Any]:
        begun = watchers.begin(ctx, kind, address, body.organisation, body.asked())  # type: ignore[arg-type]
        return {
            "watcher": begun.watcher,
            "state": begun.state,
            "expires_on": begun.expires_on.isoformat(),
            "public_key": begun.public_key,
        }

    return once(ctx, _anybody(request, ctx), key, "watches.begin", body.model_dump(), act, 202)


@router.get("", response_model=Watcher, responses=problems(404))
def show(ctx: Ctx, bearer: Bearer = None) -> dict[str, Any]:
    """The address and everything it watches."""
    return _plain(watchers.look(ctx, _link(bearer)))


@router.post("/confirm", response_model=Watcher, responses=problems(404, 409, 422))
def confirm(request: Request, ctx: Ctx, bearer: Bearer = None, key: Key = None) -> JSONResponse:
    """Confirm the address; a second time changes nothing."""
    link = _link(bearer)
    act = lambda: _plain(watchers.confirm(ctx, link))  # noqa: E731
    return once(ctx, _anybody(request, ctx, link), key, "watches.confirm", {}, act)


@router.post("/certificates", response_model=Results, responses=problems(404, 409, 422))
def add(request: Request, ctx: Ctx, body: Certificates, bearer: Bearer = None, key: Key = None) -> JSONResponse:
    """Watch more certificates."""
    link = _link(bearer)

    def act() -> dict[str, Any]:
        return {"results": watchers.watch_more(ctx, link, [item.asked() for item in body.items])}

    return once(ctx, _anybody(request, ctx, link), key, "watches.add", body.model_dump(), act)


@router.post("/roster", response_model=Results, responses=problems(404, 409, 413, 422))
def roster(
    request: Request,
    ctx: Ctx,
    file: Annotated[UploadFile, File(description=".xlsx, .csv: 管理号, 姓名, 备注")],
    bearer: Bearer = None,
    key: Key = None,
) -> JSONResponse:
    """Watch the certificates of a list, matched as a look-up is; the same list again changes nothing."""
    link = _link(bearer)
    with on_disk(file) as (path,):
        if path is None:
            raise InputError("file-missing", Words("没有选择名单文件。", "No list was chosen."))

        def act() -> dict[str, Any]:
            return {"results": watchers.watch_more(ctx, link, read_list(path))}

        return once(ctx, _anybody(request, ctx, link), key, "watches.roster", {"file": sha256_of(path)}, act)


@router.post("/end", response_model=Watcher, responses=problems(404, 409, 422))
def end(request: Request, ctx: Ctx, body: Ending, bearer: Bearer = None, key: Key = None) -> JSONResponse:
    """End one watch or all; what has ended already stays as it is."""
    link = _link(bearer)
    act = lambda: _plain(watchers.end(ctx, link, body.watch))  # noqa: E731
    return once(ctx, _anybody(request, ctx, link), key, "watches.end", body.model_dump(), act)


def limit_watching(request: Request, ctx: Context, address: str) -> None:
    """Count a request against who sends it and against the address that would be written to; raises (429)."""
    limits: SignInLimits = request.app.state.sign_in_limits
    limits.count_watch(client_address(request), ctx.data_key.blind_index("watchers.address", address.strip().lower()))


def _anybody(request: Request, ctx: Context, link: str = "") -> Actor:
    """Whose idempotency keys these are: one link's, or one client's."""
    who = ctx.data_key.blind_index("watchers.client", link or client_address(request))[:24]
    return Actor(username=f"public:{who}", roles=frozenset(), via="api")


def _link(bearer: str | None) -> str:
    scheme, _, link = (bearer or "").partition(" ")
    if scheme.lower() != "bearer" or not link:
        raise NotAllowedError(
            "token-not-accepted",
            Words("请求缺少关注凭据。", "The request lacks the watcher's secret."),
            remedy=Words(
                "Authorization: Bearer 后填写消息中 manage_url 的最后一段。",
                "Send Authorization: Bearer with the last part of the manage_url in your messages.",
            ),
        )
    return link.strip()


def _plain(view: WatcherView) -> dict[str, Any]:
    lines = [{name: getattr(line, name) for name in WatchLine.model_fields} for line in view.watches]
    own = {name: getattr(view, name) for name in ("kind", "organisation", "state", "public_key")}
    return Watcher.model_validate({"watcher": view.public_id, **own, "watches": lines}).model_dump(mode="json")
