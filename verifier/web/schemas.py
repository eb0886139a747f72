"""The shapes of answers, for the interface description (OpenAPI). Members as in `CheckResult.to_json`."""

from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

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


class ResultModel(BaseModel):
    """The answer of every path. Only the verdict `valid` means that the certificate may be relied on."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESULT_EXAMPLE]})

    verdict: Verdict
    checks: list[CheckModel]
    certificate: CertificateModel | None
    as_of: datetime = Field(description="The instant (UTC) at which this was true")


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


def problem_response(description: str, *, result: bool = False) -> dict[str, Any]:
    """An entry of a route's `responses` for an error of ours."""
    model = ProblemResultModel if result else ProblemModel
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
