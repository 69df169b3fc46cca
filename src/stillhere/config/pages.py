"""Whom pages go to: the setting ``STILLHERE_COORDINATOR``, read and checked.

One or several addresses with commas between, tried in their order: an e-mail address, the address
of a chat app, a phone number. One that could never be paged is refused. Opens no connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr

from stillhere.channels.apps import APPS
from stillhere.channels.base import AddressError
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.numbers import normalise_number
from stillhere.channels.pager import addresses, channels_for
from stillhere.config.values import SettingError


def coordinator(
    name: str, typed: str, *, country: str, carriers: Sequence[Carrier], demo: bool
) -> str:
    """The addresses as one text, each in the form that is sent to."""
    return ", ".join(_one(name, each, country, carriers, demo) for each in addresses(typed))


def _one(name: str, typed: str, country: str, carriers: Sequence[Carrier], demo: bool) -> str:
    by = channels_for(typed)
    if by == ("chat",):
        return _chat(name, typed)
    if by == ("email",):
        mailbox = parseaddr(typed)[1]
        if not all(mailbox.partition("@")) or any(c.isspace() for c in mailbox):
            raise SettingError(f"{name} holds an e-mail address that is none. Look at the @.")
        return mailbox
    if not any(c.isdigit() for c in typed):
        raise SettingError(
            f"{name} must hold e-mail addresses, addresses of a chat app, or phone numbers, "
            "with commas between."
        )
    if not demo and not carriers:
        raise SettingError(
            f"{name} holds a phone number, and nothing here can text or call it: set "
            "STILLHERE_CARRIERS, or take the number out."
        )
    try:
        return normalise_number(typed, country)
    except AddressError as wrong:
        raise SettingError(f"{name} holds a phone number that cannot be used. {wrong}") from None


def _chat(name: str, typed: str) -> str:
    scheme = typed.partition("://")[0].lower()
    if scheme not in APPS:
        raise SettingError(
            f"{name}: we know no app {scheme[:20]}://. Use an e-mail address, a phone number, or "
            "an app like ntfys:// or tgram://."
        )
    return typed
