"""IP ranges: one form for each, and IPv4 is IPv4 however it is written."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.core.ip_range import EXPECTED, is_within, parse_range, parse_ranges, to_text
from tests.core.strategies import quick, thorough

addresses = st.ip_addresses()
ipv4 = st.ip_addresses(v=4)


@st.composite
def networks(draw: st.DrawFn) -> IPv4Network | IPv6Network:
    """A range of any length, with the host bits of one of its addresses."""
    address = draw(addresses)
    length = draw(st.integers(0, address.max_prefixlen))
    return ip_network(f"{address}/{length}", strict=False)


@given(networks())
@thorough
def test_a_range_survives_both_ways(network: IPv4Network | IPv6Network) -> None:
    known = parse_range(str(network))
    assert parse_range(to_text(known)) == known
    assert parse_range(str(known)) == known


@given(networks(), addresses)
@thorough
def test_an_address_is_within_when_its_leading_bits_are_the_ranges(
    network: IPv4Network | IPv6Network, address: IPv4Address | IPv6Address
) -> None:
    known = parse_range(str(network))
    plain = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
    host_bits = known.max_prefixlen - known.prefixlen
    is_same_kind = known.version == plain.version
    is_same = int(plain) >> host_bits == int(known.network_address) >> host_bits
    assert is_within(str(address), (known,)) == (is_same_kind and is_same)


@given(networks(), st.data())
@thorough
def test_every_address_of_a_range_is_within_it(
    network: IPv4Network | IPv6Network, data: st.DataObject
) -> None:
    known = parse_range(str(network))
    # IPv4-mapped addresses are IPv4, also those that an IPv6 range would hold.
    offset = data.draw(st.integers(0, known.num_addresses - 1))
    address = ip_address(int(known.network_address) + offset)
    if known.version == 6:
        address = IPv6Address(int(known.network_address) + offset)
        if address.ipv4_mapped is not None:
            return
    assert is_within(str(address), (known,))


@given(ipv4, st.integers(0, 32))
@quick
def test_ipv4_is_the_same_range_and_address_when_it_is_mapped_to_ipv6(
    address: IPv4Address, length: int
) -> None:
    plain = parse_range(f"{address}/{length}")
    assert plain == parse_range(f"::ffff:{address}/{96 + length}")
    assert is_within(f"::ffff:{address}", (plain,))
    assert is_within(str(address), (plain,))


def test_host_bits_are_dropped_and_one_address_is_shown_as_one() -> None:
    assert to_text(parse_range("192.0.2.77/24")) == "192.0.2.0/24"
    assert to_text(parse_range("192.0.2.77/32")) == "192.0.2.77"
    assert to_text(parse_range("2001:DB8:0::1")) == "2001:db8::1"
    assert to_text(parse_range("0.0.0.0/0")) == "0.0.0.0/0"
    assert to_text(parse_range("::/0")) == "::/0"


def test_every_ipv6_address_is_no_ipv4_address() -> None:
    everything = parse_ranges(["::/0"])
    assert is_within("2001:db8::1", everything)
    assert not is_within("192.0.2.1", everything)
    assert not is_within("::ffff:192.0.2.1", everything)


def test_ranges_keep_their_order_and_stand_once() -> None:
    texts = ["2001:db8::/32", "192.0.2.7/24", "192.0.2.0/24", "::ffff:192.0.2.0/120", "10.0.0.1"]
    assert [to_text(one) for one in parse_ranges(texts)] == [
        "2001:db8::/32",
        "192.0.2.0/24",
        "10.0.0.1",
    ]
    assert parse_ranges([]) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.01",
        "192.0.2.1/33",
        "192.0.2.1/-1",
        "192.0.2.1/",
        "192.0.2.0/255.255.255.0",
        "192.0.2.0/0.0.0.255",
        "192.0.2.0/٢٤",
        " 192.0.2.1",
        "192.0.2.1-192.0.2.9",
        "2001:db8::/129",
        "2001:db8:::1",
        "fe80::1%eth0",
        "1" * 65,
        "2001:db8::/" + "0" * 60 + "32",
    ],
)
def test_what_is_no_range_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="addresses or CIDR ranges") as caught:
        parse_ranges(["192.0.2.1", text])
    assert str(caught.value) == EXPECTED


@pytest.mark.parametrize("ip", [None, "", "unknown", "192.0.2.1:443", "192.0.2.1, 10.0.0.1"])
def test_what_is_no_address_is_in_no_range(ip: str | None) -> None:
    assert not is_within(ip, parse_ranges(["0.0.0.0/0", "::/0"]))


def test_an_endless_text_is_in_no_range() -> None:
    assert not is_within("fe80::1%" + "x" * 10_000, parse_ranges(["::/0"]))
    assert is_within("fe80::1%eth0", parse_ranges(["fe80::/10"]))


def test_no_range_holds_nothing() -> None:
    assert not is_within("192.0.2.1", ())
