"""The text a draft begins with: template words filled with a sitting's data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from issuer.rules.announcements import AnnouncementKind


@dataclass(frozen=True, slots=True)
class Text:
    """Title and body in both languages; paragraphs are parted by a line break."""

    title: str
    title_en: str
    body: str
    body_en: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the templates are filled with."""

    sitting_code: str
    programme: str
    authority: str
    review_body: str
    opens_on: date
    closes_on: date
    supplementary_closes_on: date
    listed: int


_TEMPLATES: Mapping[AnnouncementKind, Text] = {
    AnnouncementKind.NOTICE: Text(
        "关于{programme}（{sitting_code}）考试合格人员公示的联合公告",
        "Joint announcement: public notice of those who passed ({sitting_code})",
        "{authority}、{review_body}现对{programme}（{sitting_code}）"
        "考试各科目均合格的人员予以公示，共 {listed} 人。\n"
        "公示期自 {opens_on} 至 {closes_on} 24:00。资格核查与公示同步进行。\n"
        "对公示人员报考条件有异议的，请在公示期内以书面形式向{review_body}提出，写明事实和依据。",
        "{listed} people passed all subjects of this sitting and are put on public notice by the department and the "
        "review body together.\nThe notice stands from {opens_on} to 24:00 on {closes_on}. Eligibility is reviewed "
        "at the same time.\nWho objects to somebody's eligibility says so in writing to the review body while the "
        "notice stands, with facts and grounds.",
    ),
    AnnouncementKind.RESULTS: Text(
        "关于{programme}（{sitting_code}）资格核查结果的公告",
        "Results of the eligibility review ({sitting_code})",
        "{programme}（{sitting_code}）资格核查已结束，核查合格 {listed} 人，名单附后。\n"
        "报考条件待核查和核查不合格的人员已逐一告知，可登录“我的考试与证书”查看。"
        "报考条件待核查的，请参加补充资格核查；"
        "核查不合格的，可以提出申辩，均应在 {supplementary_closes_on} 24:00 前办理。\n"
        "补充资格核查为当年度最后一次资格核查，逾期未接受核查的视为放弃，不再受理。",
        "The first round of review is over; {listed} people were found eligible and are listed below.\nThose whose "
        "conditions are pending, or who were found ineligible, have each been told and can read it under My "
        "examinations. The pending come to the supplementary review and the ineligible may make a defence, until "
        "24:00 on {supplementary_closes_on}.\nIt is the year's last review: who does not come is deemed to give up.",
    ),
    AnnouncementKind.SUPPLEMENTARY: Text(
        "关于{programme}（{sitting_code}）补充资格核查结果的公告",
        "Results of the supplementary review ({sitting_code})",
        "{programme}（{sitting_code}）补充资格核查和申辩核查已结束，补充核查合格 {listed} 人，名单附后。\n"
        "逾期未接受补充资格核查的，视为放弃，不再受理。",
        "The supplementary review and the consideration of defences are over; {listed} people were found eligible "
        "and are listed below.\nWho did not come is deemed to have given up.",
    ),
    AnnouncementKind.ISSUE: Text(
        "关于{programme}（{sitting_code}）证书制发的公告",
        "Certificates issued ({sitting_code})",
        "{programme}（{sitting_code}）电子证书已制发 {listed} 份，名单附后。持证人可登录“我的考试与证书”下载。\n"
        "电子证书制发后，不再受理纸质证书补发申请。任何单位和个人可扫描证书上的二维码查验。",
        "{listed} electronic certificates of this sitting have been issued to the people listed below, who can "
        "download them under My examinations.\nOnce an electronic certificate was made, no paper replacement is "
        "given. Anybody can check a certificate by its QR code.",
    ),
    AnnouncementKind.INVALIDATION: Text(
        "关于{programme}（{sitting_code}）认定报名、成绩和证书无效的公告",
        "Registrations, scores and certificates found invalid ({sitting_code})",
        "经核查认定，下列人员不符合{programme}（{sitting_code}）报考条件，或者有违纪违规行为。依照豫人社函〔2024〕25号第一条第"
        "（三）项，其报名、当次全部科目成绩和证书（成绩证明）无效。\n"
        "本人可登录“我的考试与证书”查看认定；有异议的，可依法申请行政复议或提起行政诉讼。\n"
        "用人单位可扫描证书上的二维码或输入管理号查验。",
        "The people listed below were found not eligible for this examination, or to have obtained its result by "
        "improper means. Their registration, all subjects of the sitting and the certificate or score report are "
        "invalid.\nThey can read the finding under My examinations, and may apply for administrative reconsideration "
        "or bring an action.\nEmployers can check a certificate by its QR code or its number.",
    ),
    AnnouncementKind.REINSTATEMENT: Text(
        "关于{programme}（{sitting_code}）恢复报名、成绩和证书效力的公告",
        "Registrations, scores and certificates reinstated ({sitting_code})",
        "原公告认定无效的下列人员，经申诉（复议、诉讼）撤销原认定，其报名、成绩和证书自即日起恢复效力。\n"
        "原公告名单中不再显示上述人员。",
        "The findings against the people listed below, announced earlier, were overturned on appeal. Their "
        "registrations, scores and certificates count again from today.\nThe earlier list no longer shows them.",
    ),
}


def first_text(kind: AnnouncementKind, facts: Facts) -> Text:
    """The text a new draft of `kind` begins with."""
    template = _TEMPLATES[kind]
    values = {name: getattr(facts, name) for name in Facts.__slots__}
    return Text(*(getattr(template, name).format(**values) for name in Text.__slots__))


def correcting_text(number: str, earlier: Text) -> Text:
    """The text a correction begins with: it names the announcement it takes the place of."""
    return Text(
        f"更正公告：{earlier.title}"[:200],
        f"Correction: {earlier.title_en}"[:200],
        f"{number}号公告更正如下，以本公告为准。\n{earlier.body}",
        f"Announcement {number} is corrected as follows; this one counts.\n{earlier.body_en}",
    )
