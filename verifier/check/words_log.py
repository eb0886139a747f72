"""What a check says of the transparency log."""

from verifier.check.phrases import BAD, OK, Phrase

LOG_PHRASES: dict[str, Phrase] = {
    "log-proven": Phrase(
        "log",
        OK,
        "这一状态记在公开日志第 {index} 条（共 {size} 条），证明成立{witnesses}。",
        "The public log holds this status as entry {index} of {size}; the proof was verified{witnesses_en}.",
    ),
    "log-contradicts": Phrase(
        "log",
        BAD,
        "公开日志所记的状态（{logged}）与登记（{registered}）不一致，两者必有一假。",
        "The public log says {logged}, the register says {registered}: one of the two is false.",
        "log-contradicts",
    ),
    "log-proof-false": Phrase(
        "log",
        BAD,
        "服务器给出的日志证明不成立：不是由日志密钥签署，或属于别的证书。",
        "The log's proof does not hold: it is not signed by the log's key, or is of another certificate.",
        "log-contradicts",
    ),
}
