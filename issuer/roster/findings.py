"""What an import says about a row: stable codes with words and a remedy, never the person's data."""

from dataclasses import dataclass
from typing import Any, Literal

from issuer.errors import Words
from issuer.rules.violation import RuleViolation


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `row` counts from 1 as a spreadsheet shows it; `column` is the head the sender used.

    level "error": the row was not taken in. level "note": it was, with what the note says mended or seen.
    """

    row: int
    column: str
    code: str
    level: Literal["error", "note"]
    message: Words
    remedy: Words
    clause: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding for programs."""
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "level": self.level,
            "message": self.message.zh,
            "message_en": self.message.en,
            "remedy": self.remedy.zh,
            "remedy_en": self.remedy.en,
            "clause": self.clause,
        }


_CATALOGUE: dict[str, tuple[str, str, str, str]] = {
    # code: message, message in English, remedy, remedy in English
    "admission_no_missing": ("准考证号为空", "the admission number is empty", "填写准考证号", "fill it in"),
    "admission_no_form": (
        "准考证号应为 4 至 40 位字母、数字或连字符",
        "an admission number has 4 to 40 letters, digits or hyphens",
        "按准考证核对",
        "compare it with the admission card",
    ),
    "admission_no_damaged": (
        "准考证号以数字格式存放且超过 15 位，末尾数字已丢失",
        "the admission number stands in a number cell and has more than 15 digits: its last digits are lost",
        "将该列设为“文本”格式后重新填写",
        "format the column as text and type it again",
    ),
    "id_type_missing": ("证件类型为空", "the type of document is empty", "填写证件类型", "fill it in"),
    "id_type_unknown": (
        "无法识别的证件类型",
        "an unknown type of document",
        "填写居民身份证、港澳居民来往内地通行证、台湾居民来往大陆通行证、港澳台居民居住证、外国人永久居留身份证或护照",
        "use resident ID, Hong Kong/Macau permit, Taiwan permit, residence permit, foreigner's permanent "
        "residence card or passport",
    ),
    "birth_date": (
        "出生日期不存在、不合理或与证件号码不一致",
        "the date of birth does not exist, cannot be, or differs from the ID number",
        "按证件核对出生日期，写成 1989-11-03",
        "compare it with the document; write it as 1989-11-03",
    ),
    "birth_date_missing": (
        "出生日期为空",
        "the date of birth is empty",
        "按证件填写",
        "fill it in from the document",
    ),
    "specialty_unknown": (
        "本次考试没有该专业类别",
        "this sitting has no such specialty",
        "填写本次考试设置的专业类别",
        "use a specialty of this sitting",
    ),
    "specialty_missing": ("专业类别为空", "the specialty is empty", "填写专业类别", "fill it in"),
    "level_unknown": ("级别与本次考试不符", "the level is not this sitting's", "核对级别", "check the level"),
    "city_unknown": (
        "报考地市不在区划代码表中",
        "the city is not in the table of region codes",
        "核对地市名称；如属新增，请在项目政策中添加代码",
        "check the city; if it is new, add its code to the programme's policy",
    ),
    "basis_unknown": (
        "报考方式应为“告知承诺”或“材料审核”",
        "the basis is either commitment (告知承诺) or evidence (材料审核)",
        "核对报考方式",
        "check the basis",
    ),
    "score_missing": ("成绩为空", "a score is empty", "填写成绩或“缺考”", "fill in the score, or 缺考"),
    "score_unreadable": ("成绩不是数字", "a score is not a number", "填写数字或“缺考”", "use a number, or 缺考"),
    "not_passed": (
        "该科目缺考或低于合格标准，不属于合格人员",
        "absent from or below the pass mark of this subject: not among those who passed",
        "核对成绩；未合格人员应从名单中删除",
        "check the score; who did not pass does not belong on this list",
    ),
    "photo_missing": (
        "未找到照片文件",
        "the photo was not found",
        "核对照片列的文件名，并把该文件放入照片压缩包",
        "check the file name and put the file into the photo archive",
    ),
    "photo_unusable": (
        "照片无法使用（损坏、过小或不是 JPEG/PNG）",
        "the photo cannot be used (damaged, too small, or not JPEG or PNG)",
        "换成清晰的 JPEG 或 PNG 证件照，短边不小于 60 像素",
        "send a clear JPEG or PNG portrait, its shorter side 60 pixels or more",
    ),
    "photo_too_large": ("照片过大", "the photo is too large", "单张照片不超过 10 MB", "at most 10 MB a photo"),
    "photo_shared": (
        "另一考生使用了同一张照片",
        "another candidate has the very same photo",
        "核对照片是否属于本人",
        "check whose photo it is",
    ),
    "duplicate": (
        "同一证件号码在本次考试中已出现",
        "this ID number already stands in this sitting",
        "删除重复的行，或更正其中一行的证件号码",
        "remove the repeated row, or mend the number in one of them",
    ),
    "duplicate_admission_no": (
        "同一准考证号在文件中已出现",
        "this admission number already stands in the file",
        "删除重复的行，或更正其中一行",
        "remove the repeated row, or mend one of them",
    ),
    "already_reviewed": (
        "该人员的核查已开始，姓名、证件、成绩、专业等核查所依据的内容不能再由名单更改；原登记保持不变",
        "this person's review has begun: name, ID, scores, specialty and whatever else it rests on can no longer be "
        "changed by a list; the registration stays as it was",
        "核对该行；确需更正的，请在核查前报发证机构更正名单，已核查的待制证后办理证书更正（换发）",
        "check the row; corrections go through the authority before the review, afterwards by correcting the "
        "certificate once it is issued",
    ),
    "admission_no_taken": (
        "该准考证号已登记为另一人（姓名和证件号码都不同）",
        "this admission number is registered for somebody else: both name and ID number differ",
        "核对准考证号",
        "check the admission number",
    ),
    "identity_replaced": (
        "该准考证号此前登记的证件号码已更正为本行的号码",
        "the ID number registered earlier for this admission number was replaced by this row's",
        "如非更正，请核对准考证号",
        "if this was no correction, check the admission number",
    ),
    "already_issued": (
        "该人员的证书已制发，名单内容不能再改",
        "a certificate was made for this person: the row can no longer be changed",
        "如需更正，请办理证书更正（换发）",
        "to correct it, have the certificate superseded",
    ),
    "registration_void": (
        "该人员报名已无效，名单内容不能再改",
        "this registration is void: the row can no longer be changed",
        "不要重新提交该行",
        "do not send the row again",
    ),
    "text_too_long": ("文字过长", "the text is too long", "不超过 200 个字符", "at most 200 characters"),
    "row_too_long": (
        "该行的单元格多于表头，内容可能已错列",
        "the row has more cells than the header: its contents may have shifted",
        "核对是否多出分隔符；单元格内含逗号的，用双引号括起，或另存为 .xlsx",
        "look for a separator too many; put cells that hold a comma into quotes, or save as .xlsx",
    ),
    # notes: the row was taken in
    "updated_after_review": (
        "该人员的核查已开始，仅更新了联系方式、工作单位或照片",
        "this person's review has begun: only mobile, employer or photo were brought up to date",
        "",
        "",
    ),
    "name_may_not_be_drawn": (
        "姓名中有字体暂不能显示的字或叠加的附加符号，制证时可能不予制发",
        "the name has a character the fonts cannot draw, or stacked marks: no certificate may be made of it",
        "按证件核对姓名；确有此字的，制证前联系管理员增补字体",
        "compare it with the document; if it is right, have a font added before certificates are made",
    ),
    "gender_unknown": (
        "性别不是“男”或“女”，未采用",
        "the gender is neither 男 nor 女 and was not used",
        "填写男、女，或留空",
        "write 男 or 女, or leave it empty",
    ),
    "name_mended": ("姓名中的空白或符号已规范", "blanks or signs in the name were mended", "", ""),
    "id_full_width": ("全角字符已转换为半角", "full-width characters were made half-width", "", ""),
    "id_blanks": ("空白已去除", "blanks were removed", "", ""),
    "id_hyphens": ("连字符已去除", "hyphens were removed", "", ""),
    "id_times_sign": ("末位乘号已改为 X", "a last multiplication sign was made an X", "", ""),
    "id_lower_case": ("小写字母已改为大写", "lower case was made upper case", "", ""),
    "id_reissue_count_dropped": (
        "换证次数（末两位）已去除",
        "the two digits that count reissues were removed",
        "",
        "",
    ),
    "id_type_by_number": (
        "按号码将证件类型更正为居住证或永久居留身份证",
        "the type of document was corrected by its number",
        "核对证件类型",
        "check the type of document",
    ),
    "id_county_unknown": (
        "证件号码的地区代码较少见，仅供核对",
        "the number's region code is unusual (a hint only)",
        "如有疑问按证件核对",
        "compare with the document if in doubt",
    ),
    "id_ends_in_000": (
        "证件号码末三位为 000，请确认未被电子表格损坏",
        "the number ends in 000: make sure that no spreadsheet damaged it",
        "按证件核对",
        "compare it with the document",
    ),
    "gender_differs": (
        "性别与证件号码不一致",
        "the gender differs from the ID number",
        "按证件核对",
        "compare it with the document",
    ),
    "city_not_coded": (
        "报考地市不在区划代码表中，按其他地区编号",
        "the city is not in the table of region codes; numbered as elsewhere",
        "核对地市名称",
        "check the city",
    ),
    "education_unknown": (
        "学历不是常用层次名称，比对时只认相同的文字",
        "no usual name of a level of education: only the same text will agree with it",
        "填写大专、本科、硕士等",
        "write 大专, 本科, 硕士 or the like",
    ),
    "years_form": ("工作年限不是数字", "the years of work are no number", "填写年数，如 6", "write years, such as 6"),
    "commitment_unusable": (
        "承诺书版本或承诺时间缺失、不可读或晚于今日，未作为承诺记录",
        "the commitment's version or day is missing, unreadable or to come: not kept as a commitment",
        "补齐承诺书版本和承诺时间后重新提交",
        "fill in version and day, then send it again",
    ),
    "admission_no_mended": ("准考证号已规范", "the admission number was mended", "", ""),
    "mobile_form": ("手机号格式不常见", "the mobile number looks unusual", "核对手机号", "check it"),
    "text_kept_as_text": (
        "内容像公式或网页代码，按普通文字保存",
        "looks like a formula or markup; kept as plain text",
        "如非本意请更正",
        "mend it if it was not meant",
    ),
    "text_control_removed": ("不可见控制字符已去除", "invisible control characters were removed", "", ""),
}

CODES = frozenset(_CATALOGUE)

_WORDS = {code: (Words(zh, en), Words(do_zh, do_en)) for code, (zh, en, do_zh, do_en) in _CATALOGUE.items()}


def error(row: int, column: str, code: str, *, clause: str | None = None) -> Finding:
    """A finding that keeps the row out."""
    message, remedy = _WORDS[code]
    return Finding(row, column, code, "error", message, remedy, clause)


def note(row: int, column: str, code: str) -> Finding:
    """A finding that only tells."""
    message, remedy = _WORDS[code]
    return Finding(row, column, code, "note", message, remedy)


def refused(row: int, column: str, violation: RuleViolation) -> Finding:
    """A rule's refusal as a finding."""
    return Finding(
        row,
        column,
        violation.code,
        "error",
        Words(*violation.found),
        Words(*violation.expected),
        violation.clause,
    )
