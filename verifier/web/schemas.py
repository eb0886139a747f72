"""The shapes of answers, for the interface description (OpenAPI). Members as in `CheckResult.to_json`."""

from datetime import date, datetime
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from verifier.record.verdict import Verdict


class CheckModel(BaseModel):
    """One thing that was looked at."""

    name: str = Field(description="What was looked at: input, origin, credential, binding, seal, register, status, …")
    ok: bool | None = Field(description="Passed; null when it could not be determined")
    code: str = Field(description="Stable reason code, meant for programs")
    message: str = Field(description="What was found, in Chinese")
    message_en: str
    remedy: str = Field(description="What to do next, in Chinese; empty when nothing needs doing")
    remedy_en: str


class CertificateModel(BaseModel):
    """Public fields. Absent ones are left out; name and number stand here only when the asker already holds them."""

    token: str
    status: str = Field(description="valid, invalid, suspended, superseded; unknown when the register had no answer")
    reason_class: str | None = None
    programme_code: str
    programme_name: str
    level: str
    specialty: str
    approved_on: date
    issued_on: date
    status_changed_at: datetime | None = None
    effective_on: date | None = None
    superseded_by: str | None = Field(default=None, description="Token of the certificate that replaces this one")
    management_no: str | None = None
    name: str | None = None
    copy_of: str | None = Field(default=None, description="Of a purpose-bound copy: token of its certificate")
    copy_valid_until: date | None = Field(default=None, description="Of a purpose-bound copy: its last day")


_CERTIFICATE: Final[dict[str, Any]] = {
    "token": "AAAQEAYEAUDAOCAJBIFQYDIOB4",
    "status": "valid",
    "programme_code": "EJJZ",
    "programme_name": "二级建造师",
    "level": "二级",
    "specialty": "建筑工程",
    "approved_on": "2025-09-30",
    "issued_on": "2025-10-09",
}
_STATUS_CHECK: Final[dict[str, Any]] = {
    "name": "status",
    "ok": True,
    "code": "status-valid",
    "message": "证书有效。",
    "message_en": "The certificate is valid.",
    "remedy": "",
    "remedy_en": "",
}
RESULT_EXAMPLE: Final[dict[str, Any]] = {
    "verdict": "valid",
    "checks": [_STATUS_CHECK],
    "certificate": _CERTIFICATE,
    "as_of": "2025-11-23T05:40:12Z",
}


class PastModel(BaseModel):
    """What the public history says of the moment that was asked about."""

    asked: str = Field(description="As it was given")
    instant: datetime
    shown: str | None = Field(default=None, description="What the record showed then; null before publication")
    known: str | None = Field(default=None, description="What is known today of that moment")
    void_from_beginning: bool = Field(default=False, description="Valid on no day (R9)")
    history: list[dict[str, Any]] = Field(default=[], description="Every status, oldest first")


class NowModel(BaseModel):
    """The verdict at the time of the answer."""

    verdict: Verdict
    as_of: datetime


class ResultModel(BaseModel):
    """The answer of every path. Only the verdict `valid` means that the certificate may be relied on."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESULT_EXAMPLE]})

    verdict: Verdict
    checks: list[CheckModel]
    certificate: CertificateModel | None
    as_of: datetime = Field(description="The instant (UTC) at which this was true")
    on: PastModel | None = Field(default=None, description="Only when the past was asked about")
    now: NowModel | None = Field(default=None, description="Only when the past was asked about")


class ProblemModel(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="Address of a page that says how to mend it")
    title: str
    status: int
    detail: str = Field(description="One sentence in Chinese and English, without personal data")
    instance: str


class ProblemResultModel(ResultModel, ProblemModel):
    """A verdict that is also an error for HTTP: not found, status unknown, malformed. All members of both."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "https://verify.example.cn/help/not-found",
                    "title": "没有登记这样的证书 / No such certificate",
                    "status": 404,
                    "detail": "查无此证。 / No such certificate is in the public record.",
                    "instance": "/api/v1/certificates/AAAQEAYEAUDAOCAJBIFQYDIOB4",
                    "verdict": "not_found",
                    "checks": [{**_STATUS_CHECK, "name": "register", "ok": False, "code": "not-registered"}],
                    "certificate": None,
                    "as_of": "2025-11-23T05:40:12Z",
                }
            ]
        }
    )


class LookupModel(BaseModel):
    """What a look-up takes. Both must match one certificate."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"management_no": "20254100000000001", "name": "示例甲"}]}
    )

    management_no: str = Field(min_length=1, max_length=64, description="管理号")
    name: str = Field(min_length=1, max_length=128, description="持证人姓名")
    last_four: str | None = Field(
        default=None, max_length=8, description="证件号码后四位, optional: then they must match as well"
    )
    proof: str | None = Field(
        default=None, max_length=200, description="The answer to a challenge (problem type proof-needed)"
    )
    on: str | None = Field(
        default=None, max_length=40, description="A day in the past or an instant, as `on` elsewhere"
    )


class AggregationModel(BaseModel):
    """All status lists there are (draft-ietf-oauth-status-list, Status List Aggregation)."""

    status_lists: list[str] = Field(description="Their addresses")


class ProofModel(BaseModel):
    """What shows that a certificate's newest status stands in the transparency log."""

    leaf_index: int
    tree_size: int
    leaf_hash: str = Field(description="SHA-256 of 0x00 and the leaf, hex")
    proof: list[str] = Field(description="The path to the root from the leaf upwards (RFC 6962, 2.1.1), hex")
    checkpoint: str = Field(description="The signed tree head (C2SP tlog-checkpoint)")
    leaf: str = Field(description="The leaf itself, hex: deterministic CBOR with salted digests, no personal data")


def problem_response(description: str, *, result: bool = False) -> dict[str, Any]:
    """An entry of a route's `responses` for an error of ours; with `result` it may hold a verdict as well."""
    models = (ProblemResultModel, ProblemModel) if result else (ProblemModel,)
    shapes = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    schema = {"anyOf": shapes} if result else shapes[0]
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


class ReceiptRequestModel(BaseModel):
    """What a receipt is wanted for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"subject": "AAAQEAYEAUDAOCAJBIFQYDIOB4", "label": "2026-118", "format": "json"}]
        }
    )

    subject: str = Field(
        pattern=r"^([A-Za-z2-7]{26}|[0-9A-Fa-f]{64})$", description="A token, or the SHA-256 of a file"
    )
    label: str = Field(default="", max_length=200, description="Your own words; at most 80 visible characters")
    format: Literal["json", "pdf"] | None = Field(default=None, description="Unset: by the field Accept")


class ReceiptModel(BaseModel):
    """A receipt as a file to keep."""

    format: Literal["ecert-receipt-1"]
    statement: dict[str, Any] = Field(description="What it says, to be read; what counts is `signed`")
    notice: str
    notice_en: str
    current: str = Field(description="Address of the present answer")
    signed: str = Field(description="COSE_Sign1 in base32: the layout is in the project's verifier/record/receipt.py")


class ReceiptCheckModel(BaseModel):
    """What became of a receipt. It may be relied on, for its instant, only when the outcome is genuine."""

    outcome: Literal["genuine", "altered", "untrusted", "contradicted", "malformed", "undetermined"]
    checks: list[CheckModel]
    receipt: dict[str, Any] | None = Field(description="What it says; null when it cannot be believed at all")
    now: ResultModel | None = Field(description="The check of the same certificate or file at `as_of`")
    notice: str
    notice_en: str
    as_of: datetime


class BulkItemModel(BaseModel):
    """One thing to check: exactly one of `token`, `sha256`, or `management_no` with `name`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ref": "A-17", "token": "AAAQEAYEAUDAOCAJBIFQYDIOB4"}]}
    )

    ref: str | None = Field(default=None, max_length=80, description="Your own mark; comes back with the answer")
    token: str | None = Field(default=None, max_length=200)
    sha256: str | None = Field(default=None, max_length=200)
    management_no: str | None = Field(default=None, max_length=64)
    name: str | None = Field(default=None, max_length=128)

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """Exactly one way of asking, and a name with a number."""
        given = [self.token, self.sha256, self.management_no]
        if sum(value is not None for value in given) != 1 or (self.name is None) != (self.management_no is None):
            raise ValueError("exactly one of token, sha256, or management_no with name")
        return self


class BulkResultModel(ResultModel):
    """One answer of many."""

    index: int = Field(description="Place of the entry that was sent, from 0")
    ref: str | None = None


class BulkAnswerModel(BaseModel):
    """Answers in the order asked."""

    results: list[BulkResultModel]
    as_of: datetime
