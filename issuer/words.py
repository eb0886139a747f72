"""The closed sets of the law and the register in both languages, for pages and spreadsheets."""

from issuer.errors import Words

_WORDS: dict[str, dict[str, Words]] = {
    "outcome": {
        "awaiting": Words("待核查", "awaiting review"),
        "conditions-pending": Words("报考条件待核查", "conditions pending"),
        "eligible": Words("核查合格", "found eligible"),
        "ineligible": Words("核查不合格", "found ineligible"),
        "defence-open": Words("申辩处理中", "defence being considered"),
        "deemed-waived": Words("逾期未接受核查，视为放弃", "deemed waived"),
    },
    "status": {
        "valid": Words("有效", "valid"),
        "invalid": Words("无效", "invalid"),
        "suspended": Words("暂停使用", "suspended"),
        "superseded": Words("已更换", "superseded"),
        "": Words("制作中", "being made"),
    },
    "medium": {"electronic": Words("电子证书", "electronic"), "paper": Words("纸质证书", "paper")},
    "ground": {
        "ineligible-in-review": Words("资格核查发现不符合报考条件", "found ineligible in review"),
        "ineligible-in-supervision": Words("日常监管发现不符合报考条件", "found ineligible in supervision"),
        "false-materials": Words("提供虚假证明材料", "false materials"),
        "improper-means": Words("以其他不正当手段取得", "obtained by improper means"),
    },
    "case": {
        "proposed": Words("待审批", "proposed"),
        "rejected": Words("未批准", "rejected"),
        "withdrawn": Words("已撤回", "withdrawn"),
        "applied": Words("已生效", "applied"),
        "overturned": Words("已撤销", "overturned"),
    },
    "kind": {"invalidate": Words("认定无效", "invalidation"), "reinstate": Words("恢复效力", "reinstatement")},
    "round": {
        "first": Words("资格核查", "first round"),
        "supplementary": Words("补充资格核查", "supplementary round"),
    },
    "reason": {
        "found-ineligible": Words("不符合报考条件", "not eligible"),
        "misconduct": Words("违纪违规", "misconduct"),
        "corrected": Words("已更正换发", "corrected"),
        "case-open": Words("事项办理中", "a case is open"),
        "reinstated": Words("已恢复效力", "reinstated"),
    },
    "correction": {
        "proposed": Words("待审批", "proposed"),
        "approved": Words("已批准，制作中", "approved, being made"),
        "applied": Words("已换发", "applied"),
        "rejected": Words("未批准", "rejected"),
        "withdrawn": Words("已撤回", "withdrawn"),
        "abandoned": Words("已终止", "abandoned"),
    },
    "batch": {
        "running": Words("进行中", "running"),
        "paused": Words("已暂停", "paused"),
        "cancelled": Words("已停止", "stopped"),
        "done": Words("已完成", "done"),
    },
    "role": {
        "authority-issuer": Words("省厅经办", "issues"),
        "authority-approver": Words("省厅审批", "approves"),
        "review-body": Words("资格核查部门", "reviews"),
        "supervisor": Words("监督", "supervises"),
        "auditor": Words("审计", "audits"),
        "operator": Words("运维", "operates"),
    },
    "refusal": {
        "paper-programme": Words("纸质证书项目", "a paper programme"),
        "registration-void": Words("报名无效", "the registration is void"),
        "scores-missing": Words("没有成绩记录", "no scores on record"),
        "scores-void": Words("当次成绩无效", "scores are void"),
        "not-passed": Words("有科目未合格", "a subject was not passed"),
        "deemed-waived": Words("已视为放弃", "deemed to have given up"),
        "not-eligible": Words("未核查合格", "not found eligible"),
        "notice-not-closed": Words("公示尚未结束", "the notice still stands"),
        "objection-open": Words("有未处理的异议", "an objection is open"),
        "approval-in-future": Words("批准日期未到", "the approval date lies ahead"),
        "certificate-live": Words("已有有效证书", "there is a certificate"),
        "paper-replacement-open": Words("纸质补发申请未办结", "a paper request is open"),
        "glyph-missing": Words("姓名有字库缺字", "a character cannot be drawn"),
        "region-unknown": Words("地市代码未定义", "the city has no code"),
        "specialty-unknown": Words("专业代码未定义", "the specialty has no code"),
        "photo-missing": Words("缺少照片", "no photo"),
    },
    "request": {
        "accepted": Words("已受理", "accepted"),
        "refused": Words("不予受理", "refused"),
        "fulfilled": Words("已办结", "fulfilled"),
        "withdrawn": Words("已撤回", "withdrawn"),
    },
}


def say_in_both(family: str, code: str | None) -> Words:
    """The words for `code` of one closed set; the code itself where no words are known."""
    known = _WORDS.get(family, {}).get(code or "")
    return known or Words(code or "—", code or "—")
