"""What an audit finds, in words: a stable code, where, and what it means, in Chinese and English."""

from dataclasses import dataclass
from typing import Any, Final

DISAGREES: Final = False
UNDETERMINED: Final = None

_WORDS: Final[dict[str, tuple[bool | None, str, str]]] = {
    # --- the log itself -----------------------------------------------------------------------
    "checkpoint-untrusted": (
        DISAGREES,
        "日志检查点没有公布密钥的有效签名。",
        "The log's checkpoint bears no valid signature of a published log key.",
    ),
    "log-shrunk": (
        DISAGREES,
        "日志比以前签过的检查点短：条目被删除或退回到旧备份。",
        "The log is shorter than a checkpoint it signed before: entries were removed, or an old backup is served.",
    ),
    "log-forked": (
        DISAGREES,
        "日志分叉：与以前签过的检查点不是同一棵树，历史被改写。",
        "The log has forked: it does not contain the tree of a checkpoint it signed before; history was rewritten.",
    ),
    "root-wrong": (
        DISAGREES,
        "日志条目算不出检查点所签的根。",
        "The log's entries do not give the root that the checkpoint signs.",
    ),
    "tile-missing": (DISAGREES, "日志瓦片缺失。", "A tile of the log is missing."),
    "tile-wrong": (DISAGREES, "日志瓦片与条目不符。", "A tile of the log does not agree with the entries."),
    "leaf-malformed": (DISAGREES, "日志条目不合格式。", "An entry of the log is not in the log's form."),
    "event-repeated": (DISAGREES, "同一事件在日志中出现两次。", "One event stands in the log twice."),
    "key-vanished": (
        DISAGREES,
        "上次公布的密钥不见了，也没有列为停用。",
        "A key that was published at the last audit is gone; retired keys must stay listed.",
    ),
    # --- time ---------------------------------------------------------------------------------
    "back-dated": (
        DISAGREES,
        "倒填日期：条目自称发生在早先的检查点之前，但当时不在日志中。",
        "Back-dated: the entry says it happened before a checkpoint that does not contain it.",
    ),
    "out-of-order": (
        DISAGREES,
        "条目的时间早于它前面的条目，超出容许范围。",
        "The entry's time is before that of entries ahead of it, by more than the tolerance.",
    ),
    "in-the-future": (DISAGREES, "条目的时间在将来。", "The entry's time lies in the future."),
    # --- status lists -------------------------------------------------------------------------
    "list-missing": (DISAGREES, "日志提到的状态清单没有公布。", "A status list the log speaks of is not published."),
    "list-untrusted": (
        DISAGREES,
        "状态清单的签名、地址或格式不对。",
        "A status list's signature, address or form is wrong.",
    ),
    "list-expired": (
        UNDETERMINED,
        "状态清单已过期，说明不了现在的状态。",
        "A status list is past its time and says nothing about the present.",
    ),
    "list-entry-differs": (
        DISAGREES,
        "状态清单中的一项与日志不一致：状态被悄悄改动。",
        "An entry of a status list is not what the log says: a status was changed silently.",
    ),
    # --- certificates held by the auditor -----------------------------------------------------
    "silent-issue": (
        DISAGREES,
        "登记中的证书在日志中没有签发记录。",
        "A certificate is in the register, but its issue is not in the log.",
    ),
    "silent-change": (
        DISAGREES,
        "证书的登记状态与日志中的最新状态不一致。",
        "A certificate's status in the register is not the newest in the log.",
    ),
    "certificate-missing": (
        DISAGREES,
        "日志中有签发记录的证书不在登记中。",
        "A certificate whose issue is in the log is not in the register.",
    ),
    "unknown-certificate": (
        UNDETERMINED,
        "日志与登记中都没有这份证书。",
        "Neither the log nor the register knows this certificate.",
    ),
    "is-a-copy": (
        UNDETERMINED,
        "这是加注件；请用它所依据的证书的查验码。",
        "This is a purpose-bound copy; give the code of the certificate it was made of.",
    ),
    "proof-wrong": (
        DISAGREES,
        "服务器给出的收录证明不成立。",
        "The proof of inclusion that the server gives does not hold.",
    ),
    # --- rows of the register, where they are at hand -----------------------------------------
    "row-back-dated": (
        DISAGREES,
        "登记中的时间与日志不一致。",
        "A time in the register is not the time in the log.",
    ),
    "history-differs": (
        DISAGREES,
        "登记中的状态历史（状态、时间、理由或生效日期）与日志不一致。",
        "A status history in the register (status, time, reason or effective date) is not the one in the log.",
    ),
    "silent-file": (
        DISAGREES,
        "登记中的文件在日志中没有记录。",
        "A file is in the register, but not in the log.",
    ),
    "file-missing": (DISAGREES, "日志中记录的文件不在登记中。", "A file in the log is not in the register."),
    "place-differs": (
        DISAGREES,
        "证书在状态清单中的位置与日志不一致。",
        "A certificate's place in the status lists is not the one in the log.",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement, or one thing that could not be determined. `where` names it without a person or a token."""

    code: str
    where: str

    @property
    def ok(self) -> bool | None:
        """False: they disagree. None: it could not be determined."""
        return _WORDS[self.code][0]

    @property
    def zh(self) -> str:
        """What it means, in Chinese."""
        return _WORDS[self.code][1]

    @property
    def en(self) -> str:
        """The same in English."""
        return _WORDS[self.code][2]

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"code": self.code, "ok": self.ok, "where": self.where, "message": self.zh, "message_en": self.en}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The outcome. Counts say how much was looked at; `compared` how many earlier checkpoints were compared."""

    origin: str
    tree_size: int
    root_hash: bytes
    lists: int
    entries_set: int
    tokens: int
    rows: int | None
    compared: int
    cosignatures: int
    findings: tuple[Finding, ...]

    @property
    def agrees(self) -> bool | None:
        """True: all agree. False: something disagrees. None: something could not be determined, nothing disagrees."""
        verdicts = {finding.ok for finding in self.findings}
        return False if DISAGREES in verdicts else (None if verdicts else True)

    @property
    def exit_code(self) -> int:
        """0 agree, 1 disagree, 2 could not be determined."""
        return {True: 0, False: 1, None: 2}[self.agrees]

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "agrees": self.agrees,
            "log": {"origin": self.origin, "tree_size": self.tree_size, "root_hash": self.root_hash.hex()},
            "status_lists": self.lists,
            "entries_set": self.entries_set,
            "tokens": self.tokens,
            "register_rows": self.rows,
            "earlier_checkpoints": self.compared,
            "cosignatures": self.cosignatures,
            "findings": [finding.to_json() for finding in self.findings],
        }
