"""What the reader can do next: one pair of sentences (Chinese, English) for each kind of trouble."""

from typing import Final

REMEDIES: Final[dict[str, tuple[str, str]]] = {
    "give-input": (
        "请重新选择文件、扫描二维码或输入管理号。",
        "Choose the file again, scan the code again, or type the management number.",
    ),
    "give-original": (
        "请向持证人索取从官方渠道下载的原始 PDF，不要打印、另存或转换；也可改为扫描证书上的二维码。",
        "Ask the holder for the PDF as downloaded from the official site, not printed, re-saved or converted; "
        "or scan the QR code on the certificate.",
    ),
    "scan-again": (
        "请重新扫描证书上的二维码，或输入管理号和姓名查询。",
        "Scan the QR code on the certificate again, or look up the management number and name.",
    ),
    "type-again": (
        "请对照证书重新输入管理号和姓名。",
        "Type the management number and name again as printed on the certificate.",
    ),
    "give-digest": (
        "请提供 64 位十六进制的 SHA-256 摘要，或直接上传文件。",
        "Give the 64 hexadecimal digits of the SHA-256 digest, or upload the file itself.",
    ),
    "beware-site": (
        "请不要打开该网址，也不要在其中填写任何信息；请自行输入官方地址查询，并向发证机关举报。",
        "Do not open that address or type anything there; go to the official address yourself "
        "and report this code to the authority.",
    ),
    "refuse-altered": (
        "不要采信这份文件或二维码；请向持证人索取原件，并可向发证机关反映。",
        "Do not rely on it; ask the holder for the original and tell the authority if in doubt.",
    ),
    "refuse-untrusted": (
        "它不是发证机关出具的，请勿采信；请用管理号和姓名在官方网站查询，并可向发证机关举报。",
        "The authority did not issue this; do not rely on it. Look up the number and name on the official site "
        "and report it if in doubt.",
    ),
    "refuse-invalid": (
        "请勿采信该证书。持证人如有异议，可向发证机关查询或申诉。",
        "Do not rely on this certificate. A holder who disagrees can turn to the authority.",
    ),
    "wait-suspended": (
        "在核查结束前请勿采信；请稍后再次查验。",
        "Do not rely on it until the case is decided; check again later.",
    ),
    "ask-without-ending": (
        "请不填后四位再查一次，或扫描证书上的二维码。",
        "Look it up again without the last four, or scan the QR code on the certificate.",
    ),
    "ask-receipt": (
        "请勿采信这份回执；请自行查验证书，或索取原始的回执文件。",
        "Do not rely on this receipt; check the certificate yourself, or ask for the receipt as it was given out.",
    ),
    "ask-about-day": (
        "请核对所问的日期；证书现在的状态请另行查验。",
        "Check the day you ask about; see separately what the certificate's status is now.",
    ),
    "ask-successor": (
        "请向持证人索取更正后的新证书，并查验新证书。",
        "Ask the holder for the corrected certificate and check that one.",
    ),
    "ask-new-copy": (
        "请持证人重新生成一份注明用途的加注件，或出示原件。",
        "Ask the holder for a new purpose-bound copy or the original.",
    ),
    "ask-authority": (
        "请勿采信；请联系发证机关确认，必要时由其重新制作证书。",
        "Do not rely on it; ask the authority, which can make the certificate anew.",
    ),
    "upload-file": (
        "请上传文件本身核验，可以得知它是被改动过还是根本不是证书。",
        "Upload the file itself: the check then tells whether it was changed or is no certificate at all.",
    ),
    "not-found": (
        "请核对输入内容；如果无误，请向持证人或发证机关核实，不要采信。",
        "Check what was typed or scanned; if it is right, ask the holder or the authority and do not rely on it.",
    ),
    "try-later": (
        "请稍后再试；在得到明确结果之前，不要当作有效证书使用。",
        "Try again later; until there is a clear answer do not treat it as valid.",
    ),
    "log-contradicts": (
        "请勿采信；请保存本结果并告知发证机关，并可用 ecert-verify audit 查明何处不一致。",
        "Do not rely on it; keep this answer and tell the authority. `ecert-verify audit` shows where they disagree.",
    ),
    "refresh-bundle": (
        "请联网后更新离线核验包（ecert-verify fetch），或在线核验。",
        "Go online and refresh the offline bundle (ecert-verify fetch), or check online.",
    ),
}
