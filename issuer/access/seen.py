"""From where a session was opened, coarse enough to be kept: a network and the kind of browser, never an address."""

import ipaddress
from dataclasses import dataclass

_PROGRAMS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """`network`: `10.2.3.0/24` or `2001:db8:1::/48`; `program`: `Firefox · Linux`. None: not known."""

    network: str | None = None
    program: str | None = None


UNSEEN = Seen()


def seen(address: str, user_agent: str) -> Seen:
    """What is kept of a client's address (or IPv6 network) and of what its browser calls itself."""
    return Seen(_network(address), _program(user_agent))


def _network(address: str) -> str | None:
    try:
        found = ipaddress.ip_interface(address).ip
    except ValueError:
        return None
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


def _program(user_agent: str) -> str | None:
    names = [next((name for part, name in kinds if part in user_agent), None) for kinds in (_PROGRAMS, _SYSTEMS)]
    return " · ".join(name for name in names if name) or None
