"""Why a paper replacement is refused, and where the applicant finds what they need instead (R14, R11)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.errors import DomainError, ECertificateAlreadyIssued, Words
from issuer.records.certificates import ECertificate
from issuer.refusals import refusal_from
from issuer.rules.violation import RuleViolation


def paper_refusal(session: Session, person_id: int, qualification: str, violation: RuleViolation) -> DomainError:
    """R14 points to what was made instead: the certificate, or the decision by which it fell."""
    if violation.code != "e-certificate-already-made":
        return refusal_from(violation, remedy=_REMEDIES.get(violation.code))
    statuses = set(
        session.scalars(
            select(ECertificate.status).where(
                ECertificate.person_id == person_id,
                ECertificate.qualification == qualification,
                ECertificate.status.is_not(None),
            )
        )
    )
    fallen = "invalid" in statuses and not statuses & {"valid", "suspended"}
    if fallen:
        remedy = Words(
            "该电子证书已被认定无效；请在个人页面（/my/）查看无效决定，如有异议可申诉。",
            "It was found invalid: see the decision on your own page (/my/) and appeal if you disagree.",
        )
    elif statuses:
        remedy = Words(
            "请在个人页面（/my/）下载电子证书，可自行打印使用。",
            "Download the electronic certificate on your own page (/my/) and print it yourself.",
        )
    else:
        remedy = Words(
            "电子证书正在制作，发布后可在个人页面（/my/）下载。",
            "It is being made; once published you can download it on your own page (/my/).",
        )
    return ECertificateAlreadyIssued(
        violation.code,
        Words(
            "已制发电子证书，不再受理纸质证书补发申请；申请已登记为不予受理。",
            "An electronic certificate was made, so paper re-issue is not accepted; the refusal is on record.",
        ),
        remedy=remedy,
        clause=violation.clause,
    )


_REMEDIES = {
    "no-paper-issued": Words(
        "该项目制发电子证书；签发后请在个人页面（/my/）下载。",
        "This programme makes electronic certificates: download yours on your own page (/my/) once issued.",
    ),
    "replacement-open": Words("请等待已受理的申请办结。", "Wait for the request that was accepted."),
    "not-eligible": Words("待资格核查合格后再申请。", "Ask again once found eligible."),
    "registration-void": Words("请查看无效决定，如有异议可申诉。", "See the decision and appeal if you disagree."),
}
