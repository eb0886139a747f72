"""What the scan page says: where it stands, and why it refuses a code. Chinese first, with English."""

from typing import Any, Final

_STATES: Final = {
    "ready": (
        "打开相机，把证书上的二维码放进框内。",
        "Open the camera and put the certificate's code into the frame.",
    ),
    "asking": ("请在浏览器的提示中允许使用相机。", "Please allow the camera when the browser asks."),
    "looking": ("正在找二维码……拿稳，靠近一些。", "Looking for the code… Hold still and come a little closer."),
    "reading": ("正在读取照片……", "Reading the picture…"),
    "found": ("读到了，正在核验……", "Read. Checking…"),
    "nothing-found": (
        "照片里没有读到二维码。请拍清楚一些、靠近一些再试，或输入管理号和姓名。",
        "No code could be read in the picture. Take a sharper or closer one, or type number and name.",
    ),
    "not-a-picture": (
        "这个文件不是能打开的图片。请选择照片或截图。",
        "This file is no picture that can be opened. Choose a photograph or a screenshot.",
    ),
    "is-pdf": (
        "这是 PDF 文件。请到查验首页提交它：那样核对的是文件本身，比二维码更可靠。",
        "This is a PDF. Give it on the first page: there the file itself is checked, not only its code.",
    ),
    "no-camera": (
        "用不了相机：这台设备没有相机，或网页不是以 https 打开的。请选择照片，或输入管理号和姓名。",
        "The camera cannot be used: there is none, or the page was not opened by https. "
        "Choose a picture, or type number and name.",
    ),
    "camera-refused": (
        "没有得到使用相机的许可。可在浏览器设置中允许，或选择照片，或输入管理号和姓名。",
        "The camera was not allowed. Allow it in the browser's settings, choose a picture, or type number and name.",
    ),
    "no-decoder": (
        "这个浏览器太旧，不能在本页扫码。请输入管理号和姓名，或用手机自带的相机。",
        "This browser is too old to scan here. Type number and name, or use the phone's own camera.",
    ),
}

_STOP: Final = (
    "不要采信这份证书，也不要在打开的网站上输入任何信息。",
    "Do not rely on the certificate, and type nothing on that site.",
)
_ASK: Final = (
    "请持证人提供从官方渠道下载的 PDF，在本站首页提交；或用管理号和姓名查询。",
    "Ask for the PDF as downloaded from the authority and give it on the first page, or look up number and name.",
)
_REPORT: Final = (
    "保留证书和网址，向发证机关或公安机关举报。",
    "Keep the certificate and the address, and report them to the authority or the police.",
)
_AIM: Final = (
    "证书上的二维码旁印有官方查验地址，请对准那一个。",
    "The official address is printed beside the certificate's own code: aim at that one.",
)


def _refusal(zh: str, en: str, why: str, why_en: str, *following: tuple[str, str]) -> dict[str, Any]:
    return {"zh": zh, "en": en, "why": why, "why_en": why_en, "next": following}


_NOT_OURS: Final = "这不是电子证书的二维码，已拒绝打开"
_NOT_OURS_EN: Final = "Not the code of a certificate: refused"

REFUSALS: Final = {
    "foreign-host": _refusal(
        "这是别的网站的二维码，已拒绝打开",
        "This code leads to another site: refused",
        "它不指向官方查验地址。域名只要差一个字母就是仿冒网站：它会显示“有效”，但那是伪造的。",
        "It does not lead to the official address. One letter off is a look-alike site: it says “valid”, and lies.",
        _STOP,
        _ASK,
        _REPORT,
    ),
    "unsigned": _refusal(
        "二维码里没有发证机关的签名，已拒绝",
        "The code carries no signature of the authority: refused",
        "地址是官方的，但真证书的二维码还带有签名数据。只有地址的二维码谁都能做，可能是把别人的证书编号抄了过来。",
        "The address is official, but a genuine code also carries signed data. Anyone can make a code of an address "
        "alone, with the number of somebody else's certificate.",
        _ASK,
        _STOP,
    ),
    "damaged": _refusal(
        "二维码里的签名数据是坏的，已拒绝",
        "The signed data in the code is broken: refused",
        "它不是发证机关写出的签名数据：二维码被改过，或者是伪造的。",
        "It is not signed data as the authority writes it: the code was changed or made up.",
        _STOP,
        _ASK,
    ),
    "spliced": _refusal(
        "二维码是用两份证书拼接的，已拒绝",
        "The code was put together from two certificates: refused",
        "地址里的查验码和签名数据不属于同一份证书。",
        "The token in the address and the signed data belong to different certificates.",
        _STOP,
        _REPORT,
    ),
    "not-our-page": _refusal(
        "这个地址不是证书查验页，已拒绝打开",
        "This address is not a certificate's page: refused",
        "域名是官方的，但地址的其余部分被动过手脚，真证书的二维码不会这样写。",
        "The name of the site is official, but the rest of the address is not as a genuine code has it.",
        _ASK,
        _REPORT,
    ),
    "two-codes": _refusal(
        "画面里有两个二维码，没有核验",
        "There are two codes in view: nothing was checked",
        "不知道您要查的是哪一个。有人会在假证旁放一个真的二维码。",
        "Which one you mean is not known. A genuine code is sometimes put beside a forged certificate.",
        ("遮住其中一个再扫。", "Cover one of them and scan again."),
        _AIM,
    ),
    "not-ours": _refusal(
        _NOT_OURS,
        _NOT_OURS_EN,
        "里面不是官方查验地址。",
        "What it holds is not the official address.",
        _AIM,
        _ASK,
    ),
    "wifi": _refusal(
        _NOT_OURS,
        _NOT_OURS_EN,
        "这是连接无线网络的二维码。本页不会连接它。",
        "It would join a Wi-Fi network. This page does not do that.",
        _AIM,
    ),
    "card": _refusal(
        _NOT_OURS,
        _NOT_OURS_EN,
        "这是一张名片。名片上写什么都可以，不能证明任何资格。",
        "It is a contact card. Anything can be written on one; it proves no qualification.",
        _AIM,
        _ASK,
    ),
    "message": _refusal(
        _NOT_OURS,
        _NOT_OURS_EN,
        "它会拨打电话、发短信或发邮件，可能产生费用。本页不会执行。",
        "It would call or write to somebody, perhaps at a cost. This page does not do that.",
        _AIM,
    ),
    "program": _refusal(
        _NOT_OURS,
        _NOT_OURS_EN,
        "里面是程序或文件，不是网址。本页不会运行它。",
        "It holds a program or a file, not an address. This page does not run it.",
        _STOP,
        _AIM,
    ),
    "app": _refusal(
        _NOT_OURS,
        _NOT_OURS_EN,
        "它会打开另一个应用，例如付款。本页不会打开。",
        "It would open another app, to pay for instance. This page does not do that.",
        _STOP,
        _AIM,
    ),
}


def scan_words() -> dict[str, Any]:
    """`words` and `refusals` as the page's script reads them."""
    return {
        "words": {code: {"zh": zh, "en": en} for code, (zh, en) in _STATES.items()},
        "refusals": REFUSALS,
    }
