"""Kinds of error a checker may meet, each with what a person can do about it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of error: its slug in `/help/{slug}`, its status, and what a person can do about it."""

    slug: str
    status: int
    zh: str
    en: str
    mend: tuple[tuple[str, str], ...]


RETRY_WHEN_TOLD: Final = (
    "按应答中 Retry-After 给出的秒数等待后再试；网页上稍等片刻再试即可。",
    "Wait for the seconds given in the answer's Retry-After field, then try again.",
)

CHECKING: Final[tuple[ProblemType, ...]] = (
    ProblemType(
        "not-found",
        404,
        "没有登记这样的证书",
        "No such certificate",
        (
            ("请核对查验码、文件或管理号与姓名。", "Check the code, the file, or the number and name."),
            (
                "最可靠的办法是用手机扫描证书上的二维码，或提交从官方渠道下载的原始 PDF。",
                "Surest is to scan the QR code on the certificate, or to give the PDF as it was downloaded.",
            ),
            (
                "仍然查不到时，请向持证人或发证机关核实，不要采信。",
                "If it is still not found, ask the holder or the authority and do not rely on it.",
            ),
        ),
    ),
    ProblemType(
        "no-such-page",
        404,
        "没有这个页面",
        "No such page",
        (
            ("地址可能抄错或被截断。", "The address may be mistyped or cut off."),
            ("请从首页重新开始。", "Start again from the first page."),
        ),
    ),
    ProblemType(
        "method-not-allowed",
        405,
        "此地址不接受这种请求",
        "Method not allowed",
        (
            ("请使用应答中 Allow 字段列出的方法。", "Use a method listed in the answer's Allow field."),
            (
                "例如查询姓名须用 POST，使姓名不出现在网址里。",
                "A look-up is a POST: no name may be in an address.",
            ),
        ),
    ),
    ProblemType(
        "not-acceptable",
        406,
        "没有所要求的格式",
        "Not available in the form asked for",
        (
            (
                "状态清单有两种格式：application/statuslist+jwt 与 application/statuslist+cwt。",
                "A status list comes as application/statuslist+jwt or application/statuslist+cwt.",
            ),
            ("请在 Accept 字段中写明其一，或不写。", "Name one of them in the field Accept, or leave it out."),
        ),
    ),
    ProblemType(
        "malformed",
        422,
        "内容无法识别",
        "Content cannot be read",
        (
            (
                "提交的文件不是 PDF，或已损坏；查验码应为 26 位字母和数字。",
                "The file is not a PDF or is broken; a code has 26 letters and digits.",
            ),
            (
                "请向持证人索取从官方渠道下载的原始 PDF，不要打印、截图或另存。",
                "Ask the holder for the PDF as downloaded, not printed, photographed or saved again.",
            ),
        ),
    ),
    ProblemType(
        "bad-request",
        422,
        "提交的内容不完整或格式不对",
        "The request is incomplete or has the wrong form",
        (
            (
                "请对照接口说明检查字段：管理号最多 64 个字符，姓名最多 128 个字符，两项都要填。",
                "Both fields are needed; the number has at most 64 characters, the name at most 128.",
            ),
        ),
    ),
    ProblemType(
        "no-file",
        400,
        "没有收到文件",
        "No file was sent",
        (
            (
                "请以表单字段 file 上传 PDF，或以 Content-Type: application/pdf 直接发送。",
                "Send the PDF as the form field “file”, or as the body with Content-Type: application/pdf.",
            ),
            ("空文件不能核验。", "An empty file cannot be checked."),
        ),
    ),
    ProblemType(
        "unsupported-media-type",
        415,
        "不支持这种内容类型",
        "Unsupported media type",
        (
            (
                "核验文件：multipart/form-data 或 application/pdf；查询姓名：application/json 或普通表单。",
                "A file: multipart/form-data or application/pdf. A look-up: application/json or a plain form.",
            ),
        ),
    ),
    ProblemType(
        "too-large",
        413,
        "文件太大",
        "The file is too large",
        (
            (
                "上限为 10 MB；电子证书原件远小于此。",
                "The limit is 10 MB; an original is far smaller.",
            ),
            (
                "请确认选择的是从官方渠道下载的证书，而不是扫描件或合并后的文件。",
                "Make sure it is the certificate as downloaded, not a scan or a merged file.",
            ),
        ),
    ),
    ProblemType(
        "too-many-requests",
        429,
        "查询次数过多",
        "Too many requests",
        (
            RETRY_WHEN_TOLD,
            (
                "限制是为了防止有人逐个试姓名；扫描二维码或提交文件不受此限制。",
                "The limit keeps anyone from trying names one by one; scanning the QR code is not limited.",
            ),
        ),
    ),
    ProblemType(
        "proof-needed",
        429,
        "查询次数较多，请先完成一次计算",
        "Many look-ups: a computation is asked for first",
        (
            (
                "网页会自动完成计算（一两秒）并重新提交；不能运行脚本时，请等待片刻再查。",
                "The page does it by itself in a second or two; without scripts, wait and try again.",
            ),
            (
                "程序：找出十进制数 N，使文本 challenge:N 的 SHA-256 以 bits 个零比特开头，"
                "把整个文本作为 proof 字段连同原请求再发一次；五分钟内一次有效。也可以按 Retry-After 等待。",
                "Programs: find a decimal N such that the SHA-256 of the text `challenge:N` begins with `bits` "
                "zero bits, and send that text as the field `proof` with the same request; it is good once "
                "and for five minutes. Or wait as Retry-After says.",
            ),
            (
                "扫描二维码或提交文件不受此限制。",
                "Scanning the QR code or giving the file is not limited in this way.",
            ),
        ),
    ),
    ProblemType(
        "busy",
        503,
        "核验服务繁忙",
        "The checking service is busy",
        (RETRY_WHEN_TOLD, ("文件没有保存，请重新提交。", "The file was not kept; please send it again.")),
    ),
    ProblemType(
        "status-unknown",
        503,
        "暂时无法确定证书状态",
        "The status cannot be determined now",
        (
            (
                "登记系统暂时连接不上；这既不表示有效，也不表示无效。",
                "The register cannot be reached; this means neither valid nor invalid.",
            ),
            RETRY_WHEN_TOLD,
        ),
    ),
)
"""Of all ways of checking."""

OURS: Final = ProblemType(
    "internal-error",
    500,
    "服务出错",
    "Something went wrong on our side",
    (
        (
            "没有得出结果，也没有保存任何内容；请稍后再试。",
            "There is no result, nothing was kept; try again.",
        ),
        (
            "如果反复出现，请告诉发证机关出错的时间。",
            "If it recurs, tell the authority when it happened.",
        ),
    ),
)
