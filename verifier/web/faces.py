"""What an employer reads first: one plain sentence for every verdict, its tone, and what to do with it.

Only `good` is green, and only a verdict whose checks cover the name as well as the status gets it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from verifier.record.verdict import Verdict


class Tone(StrEnum):
    """Colour and shape of an answer; each tone also has a shape of its own, for eyes that do not tell the colours."""

    GOOD = "good"
    CAUTION = "caution"
    BAD = "bad"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Face:
    """The top of a verdict page: a headline and what it means for the reader, in Chinese and English."""

    tone: Tone
    zh: str
    en: str
    lead: str
    lead_en: str
    icon: str = ""
    refuses: bool = False
    """What was handed in is refused for itself, whatever the register says of any certificate."""

    def to_json(self) -> dict[str, str | bool]:
        """As the page's script reads it."""
        return {
            "tone": self.tone.value,
            "icon": self.icon or self.tone.value,
            "zh": self.zh,
            "en": self.en,
            "lead": self.lead,
            "lead_en": self.lead_en,
            "refuses": self.refuses,
        }


FACES: Final[dict[Verdict, Face]] = {
    Verdict.VALID: Face(
        Tone.GOOD,
        "此证书有效",
        "This certificate is valid",
        "请核对上面的姓名与出示证书的人是否一致。",
        "Make sure the name is that of the person who shows it.",
    ),
    Verdict.INVALID: Face(
        Tone.BAD,
        "此证书无效",
        "This certificate is invalid",
        "发证机关已宣布该证书无效，请勿采信。",
        "The authority has declared it invalid. Do not rely on it.",
    ),
    Verdict.SUSPENDED: Face(
        Tone.CAUTION,
        "此证书暂停使用",
        "This certificate is suspended",
        "有关情况正在核查，结束之前请勿采信。",
        "A case is being decided. Do not rely on it until then.",
    ),
    Verdict.SUPERSEDED: Face(
        Tone.CAUTION,
        "此证书已被新证书取代",
        "This certificate has been replaced",
        "持证人仍有该资格；请索取并查验更正后的新证书。",
        "The holder still has the qualification. Ask for the corrected certificate and check that one.",
    ),
    Verdict.EXPIRED_COPY: Face(
        Tone.CAUTION,
        "这份加注件已过期",
        "This purpose-bound copy has expired",
        "请持证人重新生成加注件，或出示证书原件。",
        "Ask the holder for a new copy or for the original.",
    ),
    Verdict.ALTERED: Face(
        Tone.BAD,
        "内容被改动过",
        "This has been altered",
        "它与发证机关签发的内容不一致，请勿采信。",
        "It is not what the authority signed. Do not rely on it.",
        refuses=True,
    ),
    Verdict.UNTRUSTED: Face(
        Tone.BAD,
        "不是发证机关出具的",
        "Not issued by the authority",
        "它没有发证机关的签名或印章，请勿采信。",
        "It does not bear the authority's signature or seal. Do not rely on it.",
        refuses=True,
    ),
    Verdict.NOT_FOUND: Face(
        Tone.NONE,
        "查无此证",
        "No such certificate",
        "公开登记中没有与之相符的证书。",
        "Nothing in the public record matches.",
    ),
    Verdict.STATUS_UNKNOWN: Face(
        Tone.CAUTION,
        "暂时无法确定",
        "Could not be determined",
        "现在得不到证书的状态。在得到明确结果之前，不要当作有效证书使用。",
        "The status cannot be had now. Until there is a clear answer, do not treat it as valid.",
    ),
    Verdict.MALFORMED: Face(
        Tone.NONE,
        "无法识别",
        "Cannot be read",
        "所提供的内容不是电子证书，或已经损坏。",
        "This is not one of our certificates, or it is damaged.",
        refuses=True,
    ),
}

COPY_VALID: Final = Face(
    Tone.GOOD,
    "此加注件有效",
    "This purpose-bound copy is valid",
    "请核对姓名，以及文件上写明的用途：它只可用于该用途，到期即失效。",
    "Check the name, and the purpose written on it: it is good for that purpose only, and until its last day.",
)
FILE_VALID: Final = Face(
    Tone.GOOD,
    "此证书有效",
    "This certificate is valid",
    "文件与登记的原件逐字节一致。请核对文件上的姓名与出示证书的人是否一致。",
    "The file is byte for byte the original. Make sure the name on it is that of the person who shows it.",
)
NAME_UNCHECKED: Final = Face(
    Tone.CAUTION,
    "登记有效，姓名未核对",
    "On record as valid; the name was not checked",
    "这个编号的证书在登记中有效，但这里没有核对持证人姓名，不能据此认定它属于谁。",
    "A certificate with this code is on record as valid, but whose it is has not been checked here.",
)
SIGNATURE_UNCHECKED: Final = Face(
    Tone.CAUTION,
    "无法确定",
    "Could not be determined",
    "此浏览器不能核对二维码中的签名，因此姓名未经核实。登记中这个编号的证书有效。",
    "This browser cannot check the signature in the code, so the name is unverified. "
    "A certificate with this code is on record as valid.",
)
LOG_DISAGREES: Final = Face(
    Tone.CAUTION,
    "无法确定",
    "Could not be determined",
    "登记说它有效，公开日志却不是这样记的。查清之前不要采信，并请告知发证机关。",
    "The register says valid, the public log says otherwise. Do not rely on it, and tell the authority.",
)
VALID_OFFLINE: Final = Face(
    Tone.GOOD,
    "截至 {issued}，此证书有效",
    "Valid as of {issued}",
    "这是没有连网时的结论，此后的变化看不到。请核对上面的姓名与出示证书的人是否一致，能联网时再查一次。",
    "Found without a network; later changes cannot be seen. Make sure the name is that of the person who shows it, "
    "and check again online.",
)
LOOKING: Final = Face(
    Tone.NONE,
    "正在本机核对……",
    "Checking on this device…",
    "没有连上网络，正在用本机保存的资料核对签名和状态。",
    "There is no network: signature and status are checked with what this device kept.",
    icon="wait",
)
PENDING: Final = Face(
    Tone.NONE,
    "正在核对签名……",
    "Checking the signature…",
    "二维码中的签名数据只在这台设备上核对，不会发送到服务器。",
    "The signed data in the code is checked on this device and is not sent to the server.",
    icon="wait",
)
