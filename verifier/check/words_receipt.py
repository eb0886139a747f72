"""What a check of a receipt says: part of `verifier.check.words`."""

from verifier.check.phrases import BAD, OK, UNKNOWN, Phrase

RECEIPT_PHRASES: dict[str, Phrase] = {
    "receipt-malformed": Phrase(
        "input",
        BAD,
        "这不是查验回执，或者文件已被另存、截断。",
        "This is no receipt, or the file was saved again or cut off.",
        "ask-receipt",
    ),
    "receipt-signed": Phrase(
        "receipt",
        OK,
        "回执由本查验网站的密钥签署，未被改动。",
        "The receipt is signed by this verifier and unchanged.",
    ),
    "receipt-altered": Phrase(
        "receipt",
        BAD,
        "回执内容与签名不符，已被改动。",
        "The receipt does not match its signature: it was changed.",
        "ask-receipt",
    ),
    "receipt-untrusted": Phrase(
        "receipt",
        BAD,
        "回执不是由本查验网站的密钥签署的。",
        "The receipt was not signed by a key of this verifier.",
        "ask-receipt",
    ),
    "receipt-page-exact": Phrase(
        "page", OK, "文件与出具时逐字节一致。", "The file is byte for byte the one that was given out."
    ),
    "receipt-page-altered": Phrase(
        "page",
        BAD,
        "文件的页面被改动过；只有签署的内容可信，页面上写的不可信。",
        "The page of this file was changed; what it shows cannot be believed.",
        "ask-receipt",
    ),
    "receipt-words-altered": Phrase(
        "page",
        BAD,
        "文件中的文字与签署的内容不一致。",
        "The words in the file differ from what was signed.",
        "ask-receipt",
    ),
    "receipt-agrees": Phrase(
        "history",
        OK,
        "回执与公开登记的历史一致。",
        "The receipt agrees with the history in the public record.",
    ),
    "receipt-disagrees": Phrase(
        "history",
        BAD,
        "回执与公开登记的历史不一致：按登记，当时的状态是{shown}。请以登记为准。",
        "The receipt and the history in the public record disagree: by the record the status was {shown_en}. "
        "Trust the record.",
        "ask-receipt",
    ),
    "receipt-not-compared": Phrase(
        "history",
        UNKNOWN,
        "暂时无法与公开登记的历史比对。",
        "The receipt could not be compared with the public record just now.",
        "try-later",
    ),
    "receipt-in-log": Phrase(
        "log",
        OK,
        "回执记下的日志位置（第 {size} 条）与透明日志一致。",
        "The log position in the receipt (size {size}) is that of the transparency log.",
    ),
    "receipt-log-differs": Phrase(
        "log",
        BAD,
        "回执记下的日志位置（第 {size} 条）与现在的透明日志不一致：日志或回执有一方是假的。",
        "The log position in the receipt (size {size}) does not fit the transparency log: one of the two is false.",
        "ask-receipt",
    ),
}
