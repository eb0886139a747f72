"""Whose request it is, for counting: the peer, or the address a trusted proxy vouches for."""

import ipaddress
from collections.abc import Iterable

from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Clients:
    """Tells clients apart. `trusted`: networks (CIDR) of our own proxies; X-Forwarded-For counts only from them."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted: tuple[Network, ...] = tuple(ipaddress.ip_network(network, strict=False) for network in trusted)

    def address(self, scope: Scope) -> str:
        """What counts as one client: an IPv4 address, or the /64 network of an IPv6 one."""
        client = scope.get("client")
        parsed = _parse(client[0]) if client else None
        if parsed is not None and self._is_ours(parsed):
            for hop in reversed(_forwarded(scope)):
                hop_address = _parse(hop)
                if hop_address is None:
                    break
                parsed = hop_address
                if not self._is_ours(hop_address):
                    break
        return "unknown" if parsed is None else _counted(parsed)

    def _is_ours(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._trusted)


def _forwarded(scope: Scope) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(values).split(",") if hop.strip()]


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _counted(address: Address) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
