"""What a check for a day in the past says: part of `verifier.check.words`."""

from verifier.check.phrases import BAD, OK, UNKNOWN, Phrase

HISTORY_PHRASES: dict[str, Phrase] = {
    "on-shown": Phrase(
        "history",
        OK,
        "当时（{instant}）公开登记显示：{shown}。",
        "At that time ({instant}) the public record showed: {shown_en}.",
    ),
    "on-valid": Phrase(
        "status",
        OK,
        "就 {day} 而言，证书有效。",
        "As to {day}, the certificate was valid.",
    ),
    "on-invalid": Phrase(
        "status",
        BAD,
        "就 {day} 而言，证书无效：无效自 {since} 起（{reason}）。",
        "As to {day}, the certificate was invalid: from {since} on ({reason_en}).",
        "refuse-invalid",
    ),
    "on-invalid-from-beginning": Phrase(
        "status",
        BAD,
        "现已查明证书自始无效（{reason}）：它在任何一天都不曾有效，{day} 也是如此。",
        "It is now known to be void from the beginning ({reason_en}): it was valid on no day, {day} included.",
        "refuse-invalid",
    ),
    "on-suspended": Phrase(
        "status",
        BAD,
        "就 {day} 而言，证书处于暂停使用状态。",
        "As to {day}, the certificate was suspended.",
        "ask-about-day",
    ),
    "on-superseded": Phrase(
        "status",
        BAD,
        "就 {day} 而言，证书已被更正后的新证书取代。",
        "As to {day}, the certificate had been replaced by a corrected one.",
        "ask-successor",
    ),
    "on-not-yet": Phrase(
        "status",
        BAD,
        "就 {day} 而言，这份证书还没有公布（公布于 {published}，批准于 {approved}）。",
        "As to {day}, this certificate was not yet public (published at {published}, approved on {approved}).",
        "ask-about-day",
    ),
    "on-history-missing": Phrase(
        "status",
        UNKNOWN,
        "登记中没有这份证书的状态历史，无法回答过去某日的情况。",
        "The register has no history of this certificate; nothing can be said of a day in the past.",
        "try-later",
    ),
}
