"""What somebody on call says back to a page: that they look, by text or by a key in the call.

Owns that answer. A key in our call ends the page; a text, which anybody can forge, puts it off. A
phone that is on lists too, or keeps a watch, says it by its own digit alone; anything else it says
means there what it always means.
"""

from __future__ import annotations

from django.db import transaction

from stillhere.core.messages import Facts, Inbound
from stillhere.core.paging.on_call import OnCall
from stillhere.core.replies import Intent
from stillhere.store.db import budgets, clock
from stillhere.store.inbound.intents import contacts_intent, opts_in
from stillhere.store.inbound.reply import Reply
from stillhere.store.messages import pages
from stillhere.store.models import Message
from stillhere.store.watches.outbox import COORDINATOR

LOOKS = "0"  # stands in no other message
ASKED_A_DAY = 10  # how often one phone is asked back: a machine may be at the other end
LOOKING, SOON = "reply-looking", "reply-look-soon"
LOOKED, HOW = "reply-looked", "reply-look-how"


def coordinator_says(
    somebody: OnCall, inbound: Inbound, arrival: int, now: int, *, known: bool
) -> bool:
    """Whether this text of somebody on call was for the open page, and is done with. ``known``: the
    number is also a person's or a contact's."""
    if inbound.opted_out or opts_in(inbound):
        return False
    intent = contacts_intent(inbound, watching=False, invited=True)
    if inbound.text.strip() == LOOKS or (intent is Intent.CLAIM and not known and pages.waits()):
        n = pages.says_so(pages.who_is(somebody), now)
        word = SOON if n else LOOKED
    elif known or intent in (Intent.OPT_OUT, Intent.DELETE) or not pages.waits():
        return False
    else:
        limit = budgets.limit("asked enough", ASKED_A_DAY, "look how", inbound.sender)
        if budgets.take([limit], now):
            return True
        word, n = HOW, 0
    pages.say(somebody, inbound.sender, word, {"n": n}, f"look{arrival}")
    return True


def looks_by_key(message: int) -> Reply | None:
    """0 in the call of a page; None if it was none. Durable when it returns."""
    m = Message.objects.filter(id=message, channel=COORDINATOR).first()
    if m is None:
        return None
    somebody = pages.read_by(m.facts)
    who = pages.who_is(somebody) if somebody is not None else ""
    with transaction.atomic():
        n = pages.looks(who, clock.now_ms())
    return Reply(LOOKING if n else LOOKED, somebody.lang if somebody else "", Facts(n=n))
