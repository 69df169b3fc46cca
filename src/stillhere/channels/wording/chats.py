"""What a chat with our bot reads when it was connected, or was not; and what its owner's number
reads of it.

Owns these sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from stillhere.channels.wording import answers
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import Facts


def _connected(facts: Facts) -> Sentence:
    text = _("Connected. We ask you here too, and what you write here counts.")
    return text + " " + _("STOP ends it."), answers.NOTHING


def _connected_contact(facts: Facts) -> Sentence:
    text = fill(facts, _("Connected. You hear of %(person)s here too. It does not ring."))
    return text + " " + _("STOP ends it."), answers.NOTHING


def _new_chat(facts: Facts) -> Sentence:
    text = _("A Telegram chat is asked too now, and can answer for you. Not yours?")
    return text + " " + _("Open your page, press Telegram, and disconnect it."), answers.NOTHING


def _new_way(facts: Facts) -> Sentence:
    text = _("Another way to ask you was added. It can answer for you. Not yours?")
    return text + " " + _("Open your page and take it out of your list."), answers.NOTHING


def _new_chat_contact(facts: Facts) -> Sentence:
    text = fill(facts, _("A Telegram chat hears of %(person)s for you now. Not yours?"))
    return text + " " + _("Open your page, press Telegram, and disconnect it."), answers.NOTHING


def _changes(facts: Facts) -> Sentence:
    text = _("Your Telegram chat changes your list or your plan. Not you?")
    return text + " " + _("Open your page, press Telegram, and disconnect it."), answers.NOTHING


def _over(facts: Facts) -> Sentence:
    text = _("Your PIN or your link changed, so no Telegram chat is connected now.")
    return text + " " + _("To connect it again, open your page."), answers.NOTHING


def _code_old(facts: Facts) -> Sentence:
    text = _("This link no longer works. Make a new one where you found it.")
    return text, answers.NOTHING


TO_THE_PERSON: Mapping[str, Callable[[Facts], Sentence]] = {
    "reply-chat": _connected,
    "new-chat": _new_chat,
    "new-way": _new_way,
    "chat-changes": _changes,
    "chats-over": _over,
    "reply-code-old": _code_old,
}
SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "reply-chat-contact": _connected_contact,
    "new-chat-contact": _new_chat_contact,
}
