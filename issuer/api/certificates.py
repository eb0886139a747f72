"""Certificates over HTTP: by number, by page, by person, and their files."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from issuer.access.actor import Actor
from issuer.api.access import Ctx, Reader
from issuer.api.idempotency import Key, once
from issuer.api.models import CertificateAnswer, CertificatePage, problems
from issuer.audit import record_event
from issuer.context import Context
from issuer.holders.files import pdf_response
from issuer.issuance.files import read_file
from issuer.issuance.queries import show_certificate
from issuer.issuance.search import find_by_person, list_certificates

router = APIRouter(prefix="/api/v1/certificates", tags=["certificates"])

RangeField = Annotated[str | None, Header(alias="Range")]


class PersonSearch(BaseModel):
    """Exact name, ID number, or both. In the body: personal data never stands in an address."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200)
    id_no: str | None = Field(None, max_length=40)


class Found(BaseModel):
    """Management numbers of the certificates found."""

    items: list[str]


@router.get("", response_model=CertificatePage, responses=problems(422))
def list_(
    ctx: Ctx,
    actor: Reader,
    sitting: str | None = None,
    status: Literal["valid", "invalid", "suspended", "superseded"] | None = None,
    before: int | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Certificates newest first; a review body sees its own programmes (R1)."""
    rows = list_certificates(ctx, actor, sitting_code=sitting, status=status, before=before, limit=limit)
    return {"items": [row.to_json() for row in rows], "next": rows[-1].id if len(rows) == limit else None}


@router.post("/search", response_model=Found, responses=problems(422))
def search(ctx: Ctx, actor: Reader, body: PersonSearch, key: Key = None) -> JSONResponse:
    """Find a person's certificates by exact name or ID number. Changes nothing; that it was done is on record."""

    def act() -> dict[str, Any]:
        rows = find_by_person(ctx, actor, name=body.name, id_no=body.id_no)
        return {"items": [row.management_no for row in rows]}

    return once(ctx, actor, key, "certificates.search", body.model_dump(), act)


@router.get("/{management_no}", response_model=CertificateAnswer, responses=problems(404))
def show(ctx: Ctx, actor: Reader, management_no: str) -> dict[str, Any]:
    """One certificate with its history."""
    return show_certificate(ctx, actor, management_no).to_json()


@router.get(
    "/{management_no}/pdf",
    response_class=Response,
    responses=problems(404, 503) | {200: {"content": {"application/pdf": {}}, "description": "The sealed file"}},
)
def pdf(ctx: Ctx, actor: Reader, management_no: str, range_header: RangeField = None) -> Response:
    """The sealed file, whole or one byte range; its digest is compared before it is handed out."""
    return certificate_pdf(ctx, actor, management_no, range_header)


def certificate_pdf(
    ctx: Context, actor: Actor, management_no: str, range_header: str | None, *, inline: bool = False
) -> Response:
    """The answer with the file; that it was fetched is on record. Raises as `show_certificate` and `read_file`."""
    row = show_certificate(ctx, actor, management_no).certificate
    content = read_file(ctx, row)
    with ctx.database.write() as session:
        record_event(session, ctx.clock, actor, "certificate.download", f"certificate:{row.id}")
    name = f"{row.name}-{row.management_no}.pdf"
    return pdf_response(content, name, row.file_sha256, range_header, inline=inline)
