"""Where a webhook may go: the address as text, and the address as resolved.

A strict grammar of what is allowed, not a list of what is not: URL parsers,
resolvers and socket calls read the odd spellings in different ways, and each
difference is a way around a block list. What passes here has one reading only.
Names are public by their form; what they resolve to is judged at delivery.
"""

import ipaddress
import re
from typing import NamedTuple

from ..errors import BillingError

MAX_URL = 2048
MAX_HOST = 253  # RFC 1035, 2.3.4, in its text form
DEFAULT_PORT = 443
MAX_PORT = 65535
PORTS = frozenset((443, 8443))

# RFC 3986 without user info and fragment, ASCII only; a query only after a path.
_URL = re.compile(
    r"(?i:https)://"
    r"(?P<host>\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?)?"
)
# RFC 1123, 2.1: letters, digits and inner hyphens, at most 63.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Never only digits or 0x...: resolvers read those as numbers of an address.
_TOP_LEVEL = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9]")
_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")

# Not in the public DNS: RFC 2606, 6761, 6762, 7686, 8375, 9476, and the names that
# ICANN keeps free because private networks use them.
_PRIVATE_SUFFIXES = tuple(
    ".alt .arpa .cluster .consul .corp .docker .example .home .internal .intra"
    " .intranet .invalid .lan .local .localdomain .localhost .mail .onion .private"
    " .svc .test".split()
)
# As any label: "localhost" is special to resolvers, and by the others clouds serve
# the credentials of a machine to whatever runs on it.
_PRIVATE_LABELS = frozenset(("localhost", "metadata", "instance-data"))

# IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its updates), multicast
# and class E. AS112, AMT and the 6to4 relays are reachable, but host no receiver.
_IPV4_REFUSED = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by number, the platform's own inside Azure
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Global unicast is allowed, and of it not what the IANA IPv6 registry sets apart.
# That leaves out loopback, mapped, compatible, NAT64, SIIT, unique and link local,
# site-local and multicast without naming them; 2001::/23 holds Teredo.
_IPV6_ALLOWED = ipaddress.IPv6Network("2000::/3")
_IPV6_REFUSED = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


class Target(NamedTuple):
    """Where to connect: an ASCII name or address without brackets, in lower case."""

    host: str
    port: int
    path: str  # with the query; "/" where the URL has none


def check_url(url: str, allowed: frozenset[tuple[str, int]] = frozenset()) -> Target:
    """Return the target of a webhook URL that a webhook may go to.

    :param url: ``https://host[:443|:8443][/path[?query]]``
    :param allowed: (host, port) pairs exempt from the rules for host and port,
        from :func:`parse_allow_list`; the grammar holds for them too
    :raises BillingError: ``webhook_url_refused``; its message says why
    """
    if not isinstance(url, str) or len(url) > MAX_URL:
        raise _refused(f"it must be text of at most {MAX_URL} characters")
    match = _URL.fullmatch(url)
    if not match:
        raise _refused(
            "it must look like https://host/path, in plain ASCII, without user name,"
            " spaces, backslashes or fragment"
        )
    host = match["host"].lower().strip("[]")
    port = int(match["port"] or DEFAULT_PORT)
    if (host, port) not in allowed:
        if port not in PORTS:
            raise _refused("its port must be 443 or 8443")
        if ":" in host:
            _check_address(host)
        elif _TOP_LEVEL.fullmatch(host.rpartition(".")[2]):
            _check_name(host)
        elif _QUAD.fullmatch(host):
            _check_address(host)
        else:
            raise _refused("its host must be a public name or address")
    return Target(host, port, match["path"] or "/")


def is_public_address(text: str) -> bool:
    """Whether an IP address, as text, is one of the public internet.

    Not ``ipaddress.is_global``, which is true of multicast, ``::127.0.0.1``,
    ``64:ff9b::7f00:1``, ``2002:7f00:1::1`` and ``fec0::1``.

    :param text: what a resolver returns; anything but an address is not public
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.version == 4:
        return not any(address in network for network in _IPV4_REFUSED)
    return (
        address.scope_id is None
        and address in _IPV6_ALLOWED
        and not any(address in network for network in _IPV6_REFUSED)
    )


def parse_allow_list(text: str | None) -> frozenset[tuple[str, int]]:
    """Parse ``host:port, host:port`` into pairs; an IPv6 host stands in brackets.

    :raises BillingError: ``invalid_allow_list``, so that a slip of the
        administrator is seen and does not silently allow nothing
    """
    pairs = set()
    for entry in (text or "").split(","):
        entry = entry.strip().lower()
        if not entry:
            continue
        match = re.fullmatch(
            r"(\[[0-9a-f:]+\]|[a-z0-9.-]+):([1-9][0-9]{0,4})", entry, re.ASCII
        )
        if not match or int(match[2]) > MAX_PORT:
            raise BillingError(
                "invalid_allow_list", "webhook_allow must be host:port, host:port"
            )
        pairs.add((match[1].strip("[]"), int(match[2])))
    return frozenset(pairs)


def _check_address(host):
    if not is_public_address(host):
        raise _refused("its address is not one of the public internet")


def _check_name(host):
    labels = host.split(".")
    if len(host) > MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise _refused("its host is not a valid name")
    if len(labels) < 2:
        raise _refused("its host must be a full name, with a domain")
    if host.endswith(_PRIVATE_SUFFIXES) or not _PRIVATE_LABELS.isdisjoint(labels):
        raise _refused("its host is a name of private networks or special use")


def _refused(reason):
    return BillingError("webhook_url_refused", reason, "webhook_url")
