"""Where on the network a stranger may make us speak to. Asks nobody, reads no settings."""

from __future__ import annotations

import ipaddress

_LOCAL = (".localhost", ".local", ".lan", ".internal", ".home.arpa")


def is_local_name(host: str) -> bool:
    """Whether a host's name is one that only this network knows. No number is a name."""
    return host.endswith(_LOCAL) or ("." not in host and ":" not in host)


def is_public(ip: str) -> bool:
    """Whether an IP address is one of the internet's, also when hidden inside an IPv6 one."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in ipaddress.ip_network("64:ff9b::/96"):  # NAT64
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not address.is_multicast
