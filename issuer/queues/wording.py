"""The queues, and what can be found in a review, in both languages; each finding with its clause."""

from dataclasses import dataclass
from typing import Final

from issuer.errors import Words
from issuer.rules.queues import WorkQueue

_Q = WorkQueue
TITLES: Final[dict[WorkQueue, Words]] = {
    _Q.FIRST_ROUND: Words("待资格核查", "First round"),
    _Q.PENDING: Words("报考条件待核查", "Conditions pending"),
    _Q.SUPPLEMENTARY: Words("待补充资格核查", "Supplementary round"),
    _Q.DEFENCES: Words("待处理申辩", "Defences"),
    _Q.OBJECTIONS: Words("待处理公示异议", "Objections to the notice"),
    _Q.INVALIDATIONS: Words("待审批：无效与恢复", "Invalidations to approve"),
    _Q.CORRECTIONS: Words("待审批：更正姓名", "Corrections to approve"),
    _Q.CORRECTIONS_MAKING: Words("更正证书制作中", "Corrections being made"),
    _Q.REPLACEMENTS: Words("待审核：纸质补发", "Paper replacements to allow"),
    _Q.REPLACEMENTS_PRINTING: Words("待打印：纸质补发", "Paper replacements to print"),
    _Q.WRONG_DATA: Words("待答复：信息更正申请", "Wrong data to answer"),
    _Q.WATCHED: Words("待答复：反对被关注", "Objections to being watched"),
    _Q.PAPER_DESK: Words("纸质证书柜台", "Paper desk"),
    _Q.PAPER_RETURNS: Words("退回邮件", "Returned parcels"),
    _Q.PAPER_HANDOVER: Words("到期移交", "Due for handover"),
    _Q.PAPER_RECALL: Words("待收回作废", "To recall"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a review ended against the candidate, or waits: `code` is kept, `text` is what the candidate reads."""

    code: str
    key: str
    """The key that chooses it on the review desk."""
    clause: str
    text: Words


AGAINST: Final = (
    Reason(
        "education-not-met",
        "a",
        "R4",
        Words("学历层次不符合该考试的报考条件。", "The level of education does not meet the conditions."),
    ),
    Reason("major-not-met", "b", "R4", Words("所学专业不符合报考条件。", "The major does not meet the conditions.")),
    Reason(
        "years-not-met",
        "c",
        "R4",
        Words("从事相关工作年限不足。", "The years of relevant work fall short."),
    ),
    Reason(
        "commitment-untrue",
        "d",
        "R2",
        Words("告知承诺内容与核查结果不一致。", "What was promised at registration was not found to be so."),
    ),
    Reason(
        "not-presented",
        "e",
        "R4",
        Words("未按要求接受核查或提供证明材料。", "The candidate did not come, or brought no evidence."),
    ),
)
WAITING: Final = (
    Reason(
        "not-verified",
        "a",
        "R5",
        Words("报考条件尚未核实，须参加补充资格核查。", "Not verified yet: come to the supplementary review."),
    ),
    Reason(
        "evidence-incomplete",
        "b",
        "R5",
        Words("证明材料不齐，须在补充资格核查时补齐。", "Evidence is incomplete: bring it to the second round."),
    ),
)
DESPITE: Final = (
    Reason(
        "verified-otherwise",
        "a",
        "R3",
        Words(
            "有关条件已由核查部门以其他方式核实，不需再提交材料。",
            "The review body verified the conditions in another way; no further material is needed.",
        ),
    ),
    Reason(
        "originals-seen",
        "b",
        "R3",
        Words("已现场查验证件原件，符合报考条件。", "The originals were seen on site and meet the conditions."),
    ),
)
"""Why somebody is found eligible although a material, or a comparison, is still open (R3)."""
REASONS: Final = {reason.code: reason for reason in (*AGAINST, *WAITING, *DESPITE)}
NOTICE: Final = Words("豫人社函〔2024〕25号", "the notice 豫人社函〔2024〕25号")
PLACES: Final = {
    "R2": Words("一（二）第2段", "part one (2), paragraph 2"),
    "R3": Words("一（二）第3段", "part one (2), paragraph 3"),
    "R4": Words("一（二）第4段", "part one (2), paragraph 4"),
    "R5": Words("一（二）第5段", "part one (2), paragraph 5"),
    "R7": Words("一（二）第7段", "part one (2), paragraph 7"),
}
"""Where the clauses that reasons rest on stand in the notice."""


def legal_basis(clause: str) -> Words:
    """What a decision rests on, as the candidate reads it."""
    place = PLACES.get(clause, Words(clause, clause))
    return Words(f"依据：{NOTICE.zh}{place.zh}〔{clause}〕", f"Basis: {NOTICE.en}, {place.en} [{clause}]")


def reason_of(code: str | None) -> Reason | None:
    """The reason behind a code; None for none, or for a code of a body's own."""
    return REASONS.get(code or "")


HISTORY: Final = {
    "registered": Words("报名信息导入", "registration taken in"),
    "take-back": Words("撤回误录的核查结论", "a finding recorded by mistake taken back"),
    "objection": Words("公示异议", "objection to the notice"),
    "objection-upheld": Words("异议成立", "objection upheld"),
    "objection-rejected": Words("异议不成立", "objection not upheld"),
    "defence": Words("提交申辩", "defence filed"),
    "wrong-data": Words("申请更正信息", "said that data is wrong"),
    "copy": Words("制作加注件", "purpose-bound copy made"),
    "copy-withdrawn": Words("撤回加注件", "purpose-bound copy taken back"),
    "correction": Words("提议更正姓名", "correction proposed"),
    "replacement": Words("申请补发纸质证书", "paper replacement asked for"),
}
"""What stands in a person's history beside the moves the law names."""
LOOKS: Final = {
    "person.look": Words("查看个人记录", "looked at the record"),
    "certificate.download": Words("下载证书", "downloaded the certificate"),
    "holder.download": Words("本人下载证书", "the holder downloaded it"),
    "copy.download": Words("下载加注件", "downloaded a copy"),
    "paper.look": Words("查看纸质证书", "looked at the paper certificate"),
}
