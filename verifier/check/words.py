"""What every check says: stable codes with Chinese and English messages and a next step where one is needed.

A code appears once here. A passing check has no next step; a failing or undetermined one always has
(a test holds this). `{…}` places are filled by `say`; none of them may be a name or an ID number.
"""

from verifier.check.phrases import BAD, OK, UNKNOWN, Phrase
from verifier.check.remedies import REMEDIES
from verifier.check.words_file import FILE_PHRASES
from verifier.check.words_history import HISTORY_PHRASES
from verifier.check.words_log import LOG_PHRASES
from verifier.check.words_receipt import RECEIPT_PHRASES
from verifier.record.verdict import Check

PHRASES: dict[str, Phrase] = {
    **FILE_PHRASES,
    **LOG_PHRASES,
    **HISTORY_PHRASES,
    **RECEIPT_PHRASES,
    # --- what was handed in -------------------------------------------------------------------
    "input-empty": Phrase("input", BAD, "内容为空。", "There is nothing to check.", "give-input"),
    "input-too-large": Phrase(
        "input", BAD, "内容超过 {limit} 的上限，未作核验。", "This is over the limit of {limit}.", "give-original"
    ),
    "input-not-pdf": Phrase("input", BAD, "这不是 PDF 文件。", "This is not a PDF file.", "give-original"),
    "input-pdf": Phrase("input", OK, "文件大小与外形符合要求。", "The file's size and outline are as expected."),
    "input-exhausting": Phrase(
        "input",
        BAD,
        "文件耗尽了核验所允许的时间或内存，已中止。",
        "The file used up the time or memory a check may take and was stopped.",
        "give-original",
    ),
    "qr-grammar": Phrase(
        "input", BAD, "这不是电子证书的二维码内容。", "This is not the text of one of our QR codes.", "scan-again"
    ),
    "qr-read": Phrase("input", OK, "二维码内容符合格式。", "The QR text has the right form."),
    "token-shape": Phrase("input", BAD, "证书查验码格式不对。", "This is not a certificate's token.", "scan-again"),
    "digest-shape": Phrase("input", BAD, "这不是 SHA-256 摘要。", "This is not a SHA-256 digest.", "give-digest"),
    "number-shape": Phrase(
        "input", BAD, "管理号或姓名过长或为空。", "The management number or name is empty or too long.", "type-again"
    ),
    "last-four-shape": Phrase(
        "input",
        BAD,
        "证件号码后四位须为四位数字或字母，并与姓名一起填写。",
        "The last four of the ID number are four digits or letters, given together with the name.",
        "type-again",
    ),
    "last-four-matches": Phrase(
        "identity", OK, "证件号码后四位与登记相符。", "The last four of the ID number match."
    ),
    "last-four-not-on-record": Phrase(
        "identity",
        UNKNOWN,
        "这份证书公布时没有登记证件号码后四位，无法核对。",
        "The last four of the ID number are not on record for this certificate and could not be compared.",
        "ask-without-ending",
    ),
    "bulk-entry": Phrase(
        "input",
        BAD,
        "这一条须恰好写明查验码、文件摘要，或管理号加姓名之一。",
        "An entry has exactly one of a token, a file's digest, or a number with a name.",
        "give-input",
    ),
    "asked-too-often": Phrase(
        "input",
        UNKNOWN,
        "这个管理号被查询的次数过多，请稍后再查，或改用查验码、文件。",
        "This number was asked for too often; try again later, or use the token or the file.",
        "try-later",
    ),
    # --- whose address the QR names -----------------------------------------------------------
    "own-origin": Phrase("origin", OK, "查验地址是本机构的官方地址。", "The address is our own."),
    "foreign-host": Phrase(
        "origin",
        BAD,
        "警告：二维码指向 {host}，不是官方查验地址（{own}）。这可能是仿冒网站，请勿相信其显示的结果。",
        "Warning: the QR code points to {host}, which is not the official address ({own}). "
        "It may be a look-alike site; do not believe what it shows.",
        "beware-site",
    ),
    # --- the signed credential ----------------------------------------------------------------
    "credential-verified": Phrase(
        "credential",
        OK,
        "签名数据由发证机关的密钥签署，未被改动。",
        "The signed data is by the authority's key and unchanged.",
    ),
    "credential-malformed": Phrase(
        "credential", BAD, "签名数据残缺或格式不对。", "The signed data is damaged or not in our form.", "scan-again"
    ),
    "credential-altered": Phrase(
        "credential",
        BAD,
        "签名数据与发证机关的签名不符，内容已被改动。",
        "The signed data does not match the authority's signature: it was changed.",
        "refuse-altered",
    ),
    "credential-untrusted": Phrase(
        "credential",
        BAD,
        "签名数据不是由发证机关的密钥签署的。",
        "The signed data was not signed by a key of the authority.",
        "refuse-untrusted",
    ),
    "credential-key-unknown": Phrase(
        "credential",
        UNKNOWN,
        "本机的公钥清单已过期或缺失，无法确认签名。",
        "The key list at hand is missing or too old to judge the signature.",
        "refresh-bundle",
    ),
    "credential-bound": Phrase(
        "binding",
        OK,
        "签名数据与这份证书的登记一致。",
        "The signed data belongs to this certificate and agrees with its record.",
    ),
    "credential-other-certificate": Phrase(
        "binding",
        BAD,
        "签名数据属于另一份证书：二维码是拼接的。",
        "The signed data belongs to another certificate: the code was put together from two.",
        "refuse-altered",
    ),
    "credential-not-registered": Phrase(
        "binding",
        BAD,
        "签名数据与登记的不是同一份。",
        "The signed data is not the one that was registered.",
        "refuse-altered",
    ),
    "record-disagrees": Phrase(
        "binding",
        BAD,
        "签名数据与登记内容不一致（{field}）。",
        "The signed data and the public record disagree ({field}).",
        "refuse-altered",
    ),
    # --- the register -------------------------------------------------------------------------
    "registered": Phrase("register", OK, "证书已登记公布。", "The certificate is in the public record."),
    "not-registered": Phrase(
        "register", BAD, "查无此证。", "No such certificate is in the public record.", "not-found"
    ),
    "register-unreachable": Phrase(
        "register",
        UNKNOWN,
        "暂时无法连接登记系统，证书现在是否有效无法确定。",
        "The register cannot be reached; whether the certificate is valid now cannot be said.",
        "try-later",
    ),
    "keys-unavailable": Phrase(
        "keys",
        UNKNOWN,
        "暂时读不到公布的公钥清单，无法确认签名。",
        "The published key list cannot be read; the signature cannot be judged.",
        "try-later",
    ),
    "inspection-unavailable": Phrase(
        "input",
        UNKNOWN,
        "核验程序暂时无法读取文件（不是文件的问题）。",
        "The file could not be examined just now, through no fault of its own.",
        "try-later",
    ),
    "status-list-current": Phrase(
        "status-list",
        OK,
        "状态清单签发于 {issued}，至 {expires} 有效；此后的变化离线查不到。",
        "The status list was signed at {issued} and holds until {expires}; later changes cannot be seen offline.",
    ),
    "status-list-expired": Phrase(
        "status",
        UNKNOWN,
        "本机的状态清单（取得于 {fetched}）已过期，证书现在是否有效无法确定。",
        "The status list at hand (fetched at {fetched}) is past its time; whether the certificate is valid now "
        "cannot be said.",
        "refresh-bundle",
    ),
    "offline-needs-payload": Phrase(
        "credential",
        UNKNOWN,
        "这个网址不含签名数据，离线无法核验。",
        "This address carries no signed data and cannot be checked offline.",
        "scan-again",
    ),
    "status-list-missing": Phrase(
        "status",
        UNKNOWN,
        "本机没有这份证书所在的状态清单，现在是否有效无法确定。",
        "The status list of this certificate is not at hand; whether it is valid now cannot be said.",
        "refresh-bundle",
    ),
    "status-list-untrusted": Phrase(
        "status",
        UNKNOWN,
        "本机的状态清单签名不可信，现在是否有效无法确定。",
        "The status list at hand does not bear the authority's signature; no status can be taken from it.",
        "refresh-bundle",
    ),
    "status-valid": Phrase("status", OK, "证书有效。", "The certificate is valid."),
    "status-invalid": Phrase(
        "status", BAD, "证书无效（{reason}）。", "The certificate is invalid ({reason_en}).", "refuse-invalid"
    ),
    "status-suspended": Phrase(
        "status",
        BAD,
        "证书已暂停使用，有关情况正在核查。",
        "The certificate is suspended while a case is decided.",
        "wait-suspended",
    ),
    "status-superseded": Phrase(
        "status",
        BAD,
        "证书已被更正后的新证书取代{successor}。",
        "The certificate was replaced by a corrected one{successor_en}.",
        "ask-successor",
    ),
    "copy-current": Phrase(
        "copy",
        OK,
        "这是一份加注件，在有效期内（至 {until}），只可用于文件上写明的用途。",
        "This is a purpose-bound copy within its term (to {until}), for the purpose written on it and no other.",
    ),
    "copy-withdrawn": Phrase(
        "copy",
        BAD,
        "持证人已收回这份加注件。",
        "The holder has withdrawn this purpose-bound copy.",
        "ask-new-copy",
    ),
    "copy-expired": Phrase(
        "copy",
        BAD,
        "这份加注件已于 {until} 到期。",
        "This purpose-bound copy expired on {until}.",
        "ask-new-copy",
    ),
}


def say(code: str, **values: str) -> Check:
    """The check that `code` stands for, its places filled with `values`; raises KeyError for an unknown code."""
    phrase = PHRASES[code]
    remedy = REMEDIES[phrase.remedy] if phrase.remedy else ("", "")
    return Check(
        name=phrase.name,
        ok=phrase.ok,
        code=code,
        message=phrase.zh.format(**values),
        message_en=phrase.en.format(**values),
        remedy=remedy[0],
        remedy_en=remedy[1],
    )
