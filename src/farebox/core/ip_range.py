"""IP ranges: from where a key may be used.

A range is CIDR, or one address, which is a range of its own. It is kept in its one form: without
host bits, and an IPv4-mapped IPv6 range as the IPv4 range that it is. So an address that a proxy
writes as `::ffff:192.0.2.1` is matched like `192.0.2.1`. What is no address is in no range.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

IpRange = IPv4Network | IPv6Network

RANGES_MAX = 100
TEXT_LENGTH_MAX = 64
EXPECTED = "IPv4 or IPv6 addresses or CIDR ranges, such as 192.0.2.0/24 or 2001:db8::/32"
_MAPPED_BITS = 96


@lru_cache(maxsize=4096)
def parse_range(text: str) -> IpRange:
    """The range that a text names; host bits are dropped.

    Raises:
        ValueError: neither an address nor a CIDR range.
    """
    _, slash, bits = text.partition("/")
    # The library takes netmasks too, also inverted, and zones, which mean nothing elsewhere.
    is_odd = "%" in text or (slash and not (bits.isascii() and bits.isdecimal()))
    if is_odd or len(text) > TEXT_LENGTH_MAX:
        raise ValueError(EXPECTED)
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(EXPECTED) from error
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((int(mapped), network.prefixlen - _MAPPED_BITS))
    return network


def parse_ranges(texts: Iterable[str]) -> tuple[IpRange, ...]:
    """The ranges that texts name, in their order, each once.

    Raises:
        ValueError: one of them is no range.
    """
    return tuple(dict.fromkeys(parse_range(text) for text in texts))


def to_text(ip_range: IpRange) -> str:
    """A range as it is shown: one address without its length."""
    is_one = ip_range.prefixlen == ip_range.max_prefixlen
    return str(ip_range.network_address if is_one else ip_range)


def is_within(ip: str | None, ranges: Iterable[IpRange]) -> bool:
    """Whether an address lies in one of the ranges; an unknown one lies in none."""
    if ip is None or len(ip) > TEXT_LENGTH_MAX:
        return False
    address = _address(ip)
    return address is not None and any(address in one for one in ranges)


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address of a text, in IPv4 if it is one mapped to IPv6."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address
