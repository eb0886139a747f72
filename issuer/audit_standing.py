"""How the audit chain stands to its second place (`issuer.audit_place`), and why it may not be added to."""

from dataclasses import dataclass
from typing import Literal

from issuer.audit import ChainHead
from issuer.errors import ConflictError, UnavailableError, Words

State = Literal["current", "first", "behind", "forked", "emptied", "unreachable", "untrusted"]
WRITABLE: frozenset[State] = frozenset({"current", "first"})


@dataclass(frozen=True, slots=True)
class SignedHead:
    """One head as the second place has it; `loss_of` is the head whose later events were given up."""

    number: int
    head: ChainHead
    loss_of: ChainHead | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How our chain stands to the second place. `current`: its newest head is in our chain; `first`: none yet."""

    state: State
    ours: ChainHead
    newest: SignedHead | None

    @property
    def writable(self) -> bool:
        """Whether events may be added."""
        return self.state in WRITABLE


def refusal_of(standing: Standing) -> UnavailableError:
    """Why nothing may be written now, and what to do."""
    known = standing.newest.head.sequence if standing.newest else 0
    ours = standing.ours.sequence
    if standing.state == "behind":
        return UnavailableError(
            "audit-behind",
            Words(
                f"审计记录到第 {ours} 条为止，第二处所存的链头是第 {known} 条：这是较旧的备份，现在只读。",
                f"The audit trail ends at event {ours}, the signed head on record is event {known}: this is an older "
                "backup. It can be read; nothing is written.",
            ),
            remedy=Words(
                "恢复更新的备份；确已没有时由负责人运行 ecert audit head --accept-loss。",
                "Restore a newer backup; if there is none, run `ecert audit head --accept-loss`.",
            ),
        )
    if standing.state == "forked":
        return UnavailableError(
            "audit-forked",
            Words(
                f"审计记录第 {known} 条与第二处所存的不符，现在只读，未作任何改动。",
                f"Event {known} of the audit trail is not the one on record. It can be read; nothing is written.",
            ),
            remedy=Words(
                "运行 ecert audit verify 查看，并恢复可信的备份。",
                "See `ecert audit verify`, and restore a backup you can trust.",
            ),
        )
    if standing.state == "untrusted":
        return UnavailableError(
            "audit-head-untrusted",
            Words(
                "第二处最新的链头不是本系统所签，现在只读，未作任何改动。",
                "The newest head in the second place was not signed by this system; nothing is written.",
            ),
            remedy=Words(
                "检查 ECERT_AUDIT_SECOND_PLACE 指向何处、谁改动过它。",
                "Check where ECERT_AUDIT_SECOND_PLACE points, and who changed what is there.",
            ),
        )
    if standing.state == "emptied":
        return UnavailableError(
            "audit-place-emptied",
            Words(
                "第二处的链头不见了，现在只读，未作任何改动。",
                "The heads in the second place are gone; nothing is written.",
            ),
            remedy=Words(
                "检查 ECERT_AUDIT_SECOND_PLACE；确要从头使用新的地方时运行 ecert audit head --accept-loss。",
                "Check ECERT_AUDIT_SECOND_PLACE; to begin anew there, run `ecert audit head --accept-loss`.",
            ),
        )
    return unreachable()


def not_a_prefix() -> ConflictError:
    """Our chain is another one than the place has."""
    return ConflictError(
        "audit-not-a-prefix",
        Words(
            "恢复的审计链与第二处所存的不一致，未作任何改动。",
            "The restored chain contradicts the one on record; nothing was changed.",
        ),
        remedy=Words("请换一份备份。", "Restore another backup."),
    )


def unreachable() -> UnavailableError:
    """The place does not answer, and nothing is remembered of it."""
    return UnavailableError(
        "audit-place-unreachable",
        Words(
            "审计链头的第二存放处无法读写，未作任何改动。",
            "The second place of the audit trail cannot be used; nothing was changed.",
        ),
        remedy=Words(
            "检查 ECERT_AUDIT_SECOND_PLACE（目录须已存在）及其权限。",
            "Check ECERT_AUDIT_SECOND_PLACE (a folder must exist already) and its permissions.",
        ),
    )
