"""Checks whether an IP address is public, including addresses embedded in others."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Entries of IANA's special-purpose registries that `is_global` of Python 3.11 does not exclude.
EXCLUDED_V4 = (
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; also a cloud's metadata address
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    IPv4Network("168.63.129.16/32"),  # a cloud's host agent, reachable only from its virtual machines
)
EXCLUDED_V6 = (IPv6Network("3fff::/20"),)  # documentation, RFC 9637
UNICAST_V6 = IPv6Network("2000::/3")  # all allocated addresses: RFC 4291, section 2.4
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214: these 32 bits before an IPv4 address


def is_public(address: str) -> bool:
    """Return whether an address, and every IPv4 address embedded in it, belongs to the public internet.

    An address that cannot be read is not public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _public_v4(parsed)
    return _public_v6(parsed)


def _public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in net for net in EXCLUDED_V4)


def _public_v6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return _public_v4(address.ipv4_mapped)
    if address in NAT64:
        return _public_v4(_low_half(address))
    if address.sixtofour is not None:  # not `is_global` in Python before 3.11.4
        return _public_v4(address.sixtofour)
    if address not in UNICAST_V6 or not address.is_global or any(address in net for net in EXCLUDED_V6):
        return False
    return all(map(_public_v4, _embedded(address)))


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that a tunnel would extract from this address."""
    if address.teredo is not None:
        yield from address.teredo
    if (int(address) >> 32) & 0xFFFFFFFF in ISATAP:
        yield _low_half(address)


def _low_half(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)
