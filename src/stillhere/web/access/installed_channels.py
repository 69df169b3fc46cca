"""The channels of this installation, as pages need them: who can be reached here, and how.

Built once, and only asked here what they can do. Sends nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from django.conf import settings

from stillhere.channels.base import Capability, Channel
from stillhere.core.messages import TELEGRAM
from stillhere.store.models import Address, Person
from stillhere.store.people import push_subscriptions, records

log = logging.getLogger("stillhere.web")


class _Built:
    """The channels of these settings, built once: some of their libraries are slow to load."""

    for_settings: object = None
    channels: Mapping[str, Channel] = {}


def channels() -> Mapping[str, Channel]:
    """The channels of this installation. If they cannot be built there are none, and every page
    says so: it must still be shown."""
    if _Built.for_settings is not settings.STILLHERE:
        try:
            _Built.channels = settings.BUILD_CHANNELS(settings.STILLHERE)
        except Exception:
            log.exception("no channels: they could not be built")
            _Built.channels = {}
        _Built.for_settings = settings.STILLHERE
    return _Built.channels


def here(names: Iterable[str]) -> list[str]:
    """Those of these channels that this installation has: an address alone reaches nobody."""
    known = channels()
    return [name for name in names if name in known]


def ways_to(person: Person, ways: Sequence[Address] | None = None) -> list[str]:
    """The channels by which this installation can ask the person while no page is open. ``ways``
    are their own, where the caller has them."""
    return here(records.own_channels(person, ways))


def rings(names: Iterable[str]) -> bool:
    """Whether one of these channels makes a phone ring here."""
    known = channels()
    return any(Capability.RINGS in known[name].capabilities for name in here(names))


def push_channel() -> Channel | None:
    """The channel to browsers, if this installation has it."""
    return channels().get(push_subscriptions.CHANNEL)


def public_key() -> str:
    """The key that a page gives its browser for subscribing; "" if there are no notifications."""
    return str(getattr(push_channel(), "public_key", ""))


def own_numbers() -> list[str]:
    """Every number that a call or text of ours may come from, as E.164, each once. A phone on a
    window sill that was not given its own number is not among them."""
    return list(dict.fromkeys(c.sender for c in settings.STILLHERE.carriers if c.sender))


def bot() -> str:
    """The name of the bot that people may chat with; "" if there is none."""
    for carrier in settings.STILLHERE.carriers:
        if TELEGRAM in carrier.carries:
            return str(carrier.account)
    return ""


def text_number() -> str:
    """The number for a text when no page opens; "" if nobody reads texts."""
    for carrier in settings.STILLHERE.carriers:
        if "text" in carrier.carries and carrier.sender:
            return str(carrier.sender)
    return ""
