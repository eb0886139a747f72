"""The mails watchers get: Chinese first, then English; public facts only, and how to check them."""

from typing import Protocol

from issuer.sharing.mail import Letter
from issuer.words import say_in_both


class ChangeFacts(Protocol):
    """What a mail says of a change."""

    @property
    def status(self) -> str: ...
    @property
    def reason_class(self) -> str | None: ...
    @property
    def effective_on(self) -> str: ...
    @property
    def superseded_by(self) -> str | None: ...
    @property
    def followed(self) -> bool: ...
    @property
    def label(self) -> str | None: ...


def confirm_letter(base: str, message_id: str, to: str, organisation: str, link: str) -> Letter:
    """Asks the address whether it wants to be told."""
    manage, stop = _links(base, link)
    text = f"""有人以“{organisation}”的名义，请求在证书状态变化时通知本邮箱。
如果是您提出的，请打开下面的页面并确认：
{manage}
如果不是，请忽略本邮件；未经确认，不会再发送任何消息。

Somebody asked, in the name of "{organisation}", to tell this address when a certificate changes.
If it was you, open the page above and confirm. If not, ignore this: nothing more will be sent.
"""
    return Letter(message_id, to, "请确认：证书状态变化通知 / Please confirm", text, manage, stop)


def status_letter(base: str, message_id: str, to: str, link: str, token: str, change: ChangeFacts) -> Letter:
    """Tells of a change of status."""
    manage, stop = _links(base, link)
    status = say_in_both("status", change.status)
    reason = say_in_both("reason", change.reason_class) if change.reason_class else None
    label = f"您的备注 / your label: {change.label}\n" if change.label else ""
    why = f"（{reason.zh}）" if reason else ""
    why_en = f" ({reason.en})" if reason else ""
    after = f"新证书 / its successor: {base}/v/{change.superseded_by}\n" if change.superseded_by else ""
    if change.followed:
        after += "今后将继续为您关注新证书。 From now on its successor is watched for you.\n"
    text = f"""您关注的一份电子证书状态已变为：{status.zh}{why}，自 {change.effective_on} 起。
A certificate you watch is now: {status.en}{why_en}, from {change.effective_on}.

{label}查验 / check: {base}/v/{token}
{after}
请以查验页面的结果为准，不要仅凭本邮件作出决定。
Rely on what that page says, not on this mail alone.

管理或停止通知 / manage or stop: {manage}
"""
    subject = f"证书状态变化：{status.zh} / Certificate {status.en}"
    return Letter(message_id, to, subject, text, manage, stop)


def ended_letter(base: str, message_id: str, to: str, link: str, token: str, change: ChangeFacts) -> Letter:
    """Tells that the holder has ended the watch."""
    manage, stop = _links(base, link)
    label = f"您的备注 / your label: {change.label}\n" if change.label else ""
    text = f"""持证人已终止您对一份证书的关注，今后不再通知其状态变化。
The holder has ended your watch of a certificate; you will not be told of its changes any more.

{label}证书 / certificate: {base}/v/{token}
您仍可随时查验该证书。 You can still check it at any time.

管理其他关注 / your other watches: {manage}
"""
    return Letter(message_id, to, "关注已终止 / A watch has ended", text, manage, stop)


def _links(base: str, link: str) -> tuple[str, str]:
    base = base.rstrip("/")
    return f"{base}/watch/manage/{link}", f"{base}/watch/unsubscribe/{link}"
