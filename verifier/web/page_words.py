"""Checks that only a page makes, in the browser: what its script says of the signature and of the log."""

from typing import Final

from verifier.record.verdict import Check

UNVERIFIABLE: Final = Check(
    "credential",
    None,
    "credential-unverifiable",
    "此浏览器不能核对二维码中的签名，姓名未经核实。",
    "This browser cannot check the signature in the code; the name is unverified.",
    "请用手机自带的浏览器打开官方 https 地址，或在首页提交 PDF、输入管理号和姓名。",
    "Open the official https address in the phone’s own browser, or give the PDF or number and name.",
)
LIST_UNREADABLE: Final = Check(
    "status",
    None,
    "status-list-unreadable",
    "此浏览器太旧，读不出状态清单，证书现在是否有效无法确定。",
    "This browser is too old to read the status list; whether the certificate is valid now cannot be said.",
    "请连上网络后重查；在得到明确结果之前，不要当作有效证书使用。",
    "Check again online; until there is a clear answer do not treat it as valid.",
)
LOG_UNAVAILABLE: Final = Check(
    "log",
    None,
    "log-unavailable",
    "没有得到公开日志的证明，这一项未核对。",
    "No proof from the public log could be had; this was not checked.",
)
LOG_CHECKS: Final = (
    LOG_UNAVAILABLE,
    Check(
        "log",
        True,
        "log-included",
        "已在公开日志中：第 {index} 条，共 {size} 条，证明在本机核对无误。",
        "It stands in the public log: entry {index} of {size}; the proof was checked on this device.",
    ),
    Check(
        "log",
        None,
        "log-behind",
        "公开日志中还没有这次状态变化（日志共 {size} 条）。",
        "The public log does not hold this change of status yet ({size} entries).",
    ),
    Check(
        "log",
        None,
        "log-unproven",
        "公开日志给出的证明不成立，这一项不能算通过。",
        "The proof from the public log does not hold; this was not passed.",
        "以上结论来自登记和签名。如一再出现，请告知发证机关。",
        "The answer above rests on register and signature. If this comes again, tell the authority.",
    ),
    Check(
        "log",
        False,
        "log-disagrees",
        "公开日志（第 {index} 条）记的不是有效。",
        "The public log (entry {index}) does not say valid.",
        "在查清之前不要采信，并请告知发证机关。",
        "Do not rely on it until this is cleared up, and tell the authority.",
    ),
)
"""What the page may find when it checks the log; places are filled in by its script."""
