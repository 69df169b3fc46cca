"""Who carries our texts and calls: the setting ``STILLHERE_CARRIERS``, read and checked.

Owns the form of a carrier's address and the sentences that say what is wrong with one. Opens no
connection. What a carrier speaks is each channel's own (``channels/``).

A carrier is ``kind://user:secret@host?from=+12025550100&...``; several are separated by white
space, the preferred one first. Our number there may be typed in any way; without ``+`` it is one of
the installation's country:

- ``twilio://ACCOUNT_SID:AUTH_TOKEN@api.twilio.com`` (texts and calls)
- ``signalwire://PROJECT:TOKEN@example.signalwire.com``
- ``telnyx://ACCOUNT:API_KEY@api.telnyx.com?public_key=...``
- ``whatsapp://ACCOUNT_SID:AUTH_TOKEN@api.twilio.com?template=HX...`` (a WhatsApp sender there)
- ``telegram://BOT_NAME:TOKEN@api.telegram.org`` (chats with a bot; the token as BotFather shows it)
- ``android://user:password@192.168.1.20:8080?key=SIGNING_KEY`` (texts by a phone of yours)
- ``sip://user:password@sip.example.org?from=+12025550100`` (calls by a trunk or a gateway)

``kind+http`` speaks plain HTTP, on this machine and private networks only.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote, urlsplit

from stillhere.channels.base import AddressError
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.numbers import our_own, spaced
from stillhere.channels.network_policy import is_local_name

KINDS = ("twilio", "signalwire", "telnyx", "whatsapp", "telegram", "android", "sip")
# The others carry texts and calls.
CARRIES = {
    "android": ("text",),
    "sip": ("call",),
    "whatsapp": ("whatsapp",),
    "telegram": ("telegram",),
}
NEEDS_A_SENDER = ("twilio", "signalwire", "telnyx", "whatsapp", "sip")
NEEDS_A_SECRET = ("twilio", "signalwire", "telnyx", "whatsapp", "telegram", "android")
PACES = {"telegram": 25.0}  # messages a second, where the carrier itself says how many it takes
OPTIONS = ("from", "only", "per_s", "low", "cap", "name")
OWN_OPTIONS = {
    "android": ("key", "sim"),
    "telnyx": ("public_key",),
    "whatsapp": ("template",),
    "sip": ("port", "listen"),
}
_TEMPLATE = re.compile(r"template(-[a-z]{2,3}(-[A-Za-z]{2,4})?)?")  # also one for a language
_CONTENT_SID = re.compile(r"HX[0-9a-fA-F]{32}")
_BOT = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,30}")
_BOT_TOKEN = re.compile(r"[0-9]{5,20}:[A-Za-z0-9_-]{20,100}")
_GOES_OUT = {
    "text": "texts",
    "call": "calls",
    "whatsapp": "WhatsApp messages",
    "telegram": "Telegram messages",
}
PORTS = {"port": "8421", "listen": "5060"}  # of a line, and what each is without the option
_SIP_WORD = re.compile(r"[^\s;<>\"]*")
_BETWEEN = re.compile(r"\s+(?=[A-Za-z][A-Za-z+]*:)")  # a number may hold spaces
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")


class CarrierError(ValueError):
    """An address that cannot be used. The message is one kind line, without any secret."""


def read_carriers(typed: str, country: str = "US") -> tuple[Carrier, ...]:
    """The carriers of a setting, in order. ``country`` is whose number one without + is. Raises
    ``CarrierError``."""
    carriers: list[Carrier] = []
    for address in _BETWEEN.split(typed.strip()) if typed.strip() else []:
        carriers.append(_carrier(address, {c.name for c in carriers}, country))
    _apart([carrier for carrier in carriers if carrier.kind == "sip"])
    if sum(carrier.kind == "telegram" for carrier in carriers) > 1:
        raise CarrierError("one telegram carrier is enough: a chat is with one bot")
    return tuple(carriers)


def leaves(carrier: Carrier) -> str:
    """What goes out by a carrier and from which number, for whoever set it to look at."""
    what = " and ".join(_GOES_OUT[each] for each in carrier.carries)
    from_ = f"from {spaced(carrier.sender)}" if carrier.sender else "from the phone's own number"
    if carrier.kind == "telegram":
        from_ = f"from the bot {carrier.account}"
    return f"By {carrier.name} {what} leave {from_}."


def _apart(lines: Sequence[Carrier]) -> None:
    """Lines on one machine cannot share a port."""
    taken: set[str] = set()
    for each in lines:
        ports = {each.options.get(name, usual) for name, usual in PORTS.items()}
        if taken & ports:
            raise CarrierError(
                "two sip carriers use the same port: give the second one ports of its own, like "
                "port=8431&listen=5070"
            )
        taken |= ports


def _carrier(address: str, taken: set[str], country: str) -> Carrier:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise CarrierError(
            "a carrier's address cannot be read: look at host and port, and "
            "write signs like # / ? in a password as %23 %2F %3F"
        ) from None
    kind, plain = _kind(parts.scheme)
    host = parts.hostname or ""
    if not host or not _HOST.fullmatch(host):
        raise CarrierError(f"the {kind} carrier names no host")
    if plain and not _near(host):
        raise CarrierError(f"{kind}+http is for this machine or a private network: use {kind}://")
    if kind in NEEDS_A_SECRET and not parts.password:
        raise CarrierError(f"the {kind} carrier needs a user and a secret before the @")
    options = _options(parts.query, kind)
    _heard(options, kind)
    if kind == "telegram" and not (
        _BOT.fullmatch(parts.username or "") and _BOT_TOKEN.fullmatch(parts.password or "")
    ):
        raise CarrierError("the telegram carrier needs the bot's name, a colon and its token")
    if kind == "sip" and not _SIP_WORD.fullmatch(unquote(f"{parts.username}{parts.password}")):
        raise CarrierError("user and password of a sip carrier hold no space, quote or ; < >")
    netloc = f"[{host}]" if ":" in host else host
    scheme = "http" if plain else "https"
    return Carrier(
        name=_name(options.get("name"), kind, taken),
        kind=kind,
        base_url=f"{scheme}://{netloc}{f':{port}' if port else ''}{parts.path.rstrip('/')}",
        account=unquote(parts.username or ""),
        secret=unquote(parts.password or ""),
        sender=_sender(options, kind, country),
        carries=_carries(options, kind),
        per_s=_number(options, "per_s", kind) or PACES.get(kind),
        low=_whole(options, "low", kind),
        cap=_whole(options, "cap", kind),
        options=MappingProxyType(options),
    )


def _kind(scheme: str) -> tuple[str, bool]:
    """What a carrier speaks, and whether by plain HTTP."""
    kind, _, plain = scheme.partition("+")
    if kind not in KINDS or plain not in ("", "http"):
        near = difflib.get_close_matches(kind, KINDS, 1)
        meant = f". Did you mean {near[0]}://?" if near else ""
        raise CarrierError(f"a carrier begins with one of {', '.join(KINDS)}, then ://{meant}")
    return kind, bool(plain)


def _options(query: str, kind: str) -> dict[str, str]:
    given = parse_qsl(query, keep_blank_values=True)
    options = {name: value if name == "from" else value.strip() for name, value in given}
    known = OPTIONS + OWN_OPTIONS.get(kind, ())
    templates = [name for name in options if kind == "whatsapp" and _TEMPLATE.fullmatch(name)]
    unknown = sorted(set(options) - set(known) - set(templates))
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, 1)
        meant = f". Did you mean {near[0]}=?" if near else f": it has {', '.join(known)}"
        raise CarrierError(f"the {kind} carrier has no option {unknown[0][:20]!r}{meant}")
    if len(given) > len(options):
        raise CarrierError(f"an option of the {kind} carrier is given twice")
    for name in templates:
        if not _CONTENT_SID.fullmatch(options[name]):
            raise CarrierError(
                f"{name}= of the whatsapp carrier must be a ContentSid, like HX0a1b..."
            )
    for name, usual in PORTS.items():
        port = options.get(name, usual)
        if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise CarrierError(f"{name}= of the {kind} carrier must be a port, like 8421")
    return options


def _heard(options: Mapping[str, str], kind: str) -> None:
    """Refuse a carrier none of whose webhooks could ever be believed, or that stands in its own
    way."""
    if kind == "android" and not options.get("key"):
        raise CarrierError("the android carrier needs key=, the signing key of the app's webhooks")
    if kind == "telnyx" and not _is_key(options.get("public_key", "")):
        raise CarrierError("the telnyx carrier needs public_key=, as its portal shows it")
    if kind == "sip" and options.get("listen") == options.get("port", "8421"):
        raise CarrierError("port= and listen= of the sip carrier must differ")


def _is_key(typed: str) -> bool:
    """Whether it is an Ed25519 key: 32 bytes in base 64. A plus in a query may have become a
    space."""
    try:
        return len(base64.b64decode(typed.replace(" ", "+"), validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _sender(options: dict[str, str], kind: str, country: str) -> str:
    """Our number there. A plus sign in a query is a space to most readers of web addresses."""
    typed = options.get("from", "")
    typed = (
        f"+{typed.strip()}" if typed[:1] == " " and typed.strip()[:1].isdigit() else typed.strip()
    )
    if not typed and kind in NEEDS_A_SENDER:
        raise CarrierError(f"the {kind} carrier needs from=, our number there")
    if not typed:
        return ""
    try:
        return our_own(typed, country)
    except AddressError:
        raise CarrierError(
            f"from= of the {kind} carrier is no number in {country}. "
            "With + and the country code it can be read anywhere, like +12025550100"
        ) from None


def _carries(options: Mapping[str, str], kind: str) -> tuple[str, ...]:
    carries = CARRIES.get(kind, ("text", "call"))
    only = options.get("only", "")
    if only and only not in carries:
        raise CarrierError(f"only= of the {kind} carrier must be one of {', '.join(carries)}")
    return (only,) if only else carries


def _name(given: str | None, kind: str, taken: set[str]) -> str:
    """The name of a carrier: as given, or its kind; a second one of the same kind is numbered."""
    if given and not _NAME.fullmatch(given):
        raise CarrierError("name= of a carrier is small letters, digits and hyphens")
    if given in taken:
        raise CarrierError(f"two carriers have the name {given}: give each its own name=")
    wanted = given or kind
    numbered = (wanted, *(f"{wanted}-{n}" for n in range(2, 100)))
    return next(name for name in numbered if name not in taken)


def _near(host: str) -> bool:
    """Whether a host is on this machine or a private network, by its name or number alone."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return is_local_name(host)


def _number(options: Mapping[str, str], name: str, kind: str) -> float | None:
    typed = options.get(name)
    if typed is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", typed) or float(typed) <= 0:
        raise CarrierError(f"{name}= of the {kind} carrier must be a number above 0")
    return float(typed)


def _whole(options: Mapping[str, str], name: str, kind: str) -> int | None:
    typed = options.get(name)
    if typed is None:
        return None
    if not re.fullmatch(r"[0-9]{1,7}", typed):
        raise CarrierError(f"{name}= of the {kind} carrier must be a whole number")
    return int(typed)
