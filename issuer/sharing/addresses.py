"""Where messages may go: mail addresses of a plain form, and web addresses that do not lead into our own network.

A name is resolved here, every address it has is judged, and the connection is then made to the address that was
judged and to no other: a name that changes its mind between two look-ups (DNS rebinding) gains nothing.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from issuer.errors import InputError, Words

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_PORTS = frozenset({443, 8443})
_TRANSLATED = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""IPv6 addresses that carry an IPv4 address, which could be one of ours."""


class AddressRefusedError(Exception):
    """Nothing is sent there. `code`: unresolvable, private-address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """A web address taken apart: where to connect by name, and what to ask for."""

    scheme: str
    host: str
    port: int
    path: str


def mail_address(text: str) -> str:
    """A mail address in one spelling (domain in lower case); raises InputError."""
    text = text.strip()
    if len(text) > 254 or _MAIL.fullmatch(text) is None or ".." in text:
        raise InputError("mail-address", Words("邮箱地址格式不对。", "That is not a mail address."), remedy=_AGAIN)
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def web_address(text: str, *, private: bool) -> Target:
    """A webhook's address; raises InputError. With `private` also http, any port and any host (a closed network)."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise _not_usable() from None
    host = (parts.hostname or "").rstrip(".")
    schemes = ("https", "http") if private else ("https",)
    plain = host and host.isascii() and not parts.username and not parts.password and not parts.fragment
    if (
        parts.scheme not in schemes
        or not plain
        or len(text) > 500
        or not text.isascii()
        or not text.isprintable()
        or " " in text.strip()
    ):
        raise _not_usable()
    port = port or (443 if parts.scheme == "https" else 80)
    if not private and port not in _PORTS:
        raise _not_usable()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def resolved(target: Target, *, private: bool) -> str:
    """The IP address to connect to; raises AddressRefusedError when the name has none, or any that is not public."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise AddressRefusedError("unresolvable") from exc
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not addresses:
        raise AddressRefusedError("unresolvable")
    if not private and not all(map(is_public, addresses)):
        raise AddressRefusedError("private-address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public network and hides no other."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        elif any(parsed in network for network in _TRANSLATED):
            return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


_AGAIN = Words("请核对后重新填写。", "Check it and type it again.")


def _not_usable() -> InputError:
    return InputError(
        "web-address",
        Words("回调地址不可用。", "That address cannot be used for a webhook."),
        remedy=Words(
            "请填写 https:// 开头的公网地址，端口 443 或 8443。",
            "Give an https:// address in the public network, port 443 or 8443.",
        ),
    )
