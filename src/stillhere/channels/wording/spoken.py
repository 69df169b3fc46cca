"""What only a call says: menus, staying on the line, and how soon.

Owns these sentences. A name first, the need second, the keys third; nothing here says what it is
about. One breath each: whoever hears it has not slept, or is not well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stillhere.channels.wording import alarm_lists, answers, contact_replies, own_voice, plain
from stillhere.channels.wording.contacts import Sentence
from stillhere.channels.wording.facts import fill
from stillhere.core.messages import Facts


def _menu(facts: Facts) -> Sentence:
    text = _("This is Lamp. Press 1 and we ring this phone from time to time.")
    text += " " + _("Press 2 to stay on the line with us.")
    return text + " " + _("Press 3 for your list."), answers.NOTHING


def _soon(facts: Facts) -> str:
    minutes = max(1, ceil((facts.eta_s or 0) / 60))
    text = ngettext(
        "It's on. We ring in %(minutes)d minute.",
        "It's on. We ring in %(minutes)d minutes.",
        minutes,
    )
    return fill(facts, text, minutes=minutes)


def _started(facts: Facts) -> Sentence:
    return _soon(facts) + " " + _("Then any key means: still here. 9 means: help."), answers.NOTHING


def _started_alone(facts: Facts) -> Sentence:
    text = _soon(facts) + " " + _("Nobody is on your list: nobody else would be told.")
    return text + " " + _("Text ADD and a phone number to add somebody."), answers.NOTHING


def _on_watch(facts: Facts) -> Sentence:
    text = _("Lamp is on. Press any key if you are here, 9 if you need somebody.")
    text += " " + _("Press 2 to stay on the line with us.")
    return text + " " + _("Press 3 for your list."), answers.NOTHING


def _stay(facts: Facts) -> Sentence:
    text = _("We stay with you. After each tone press any key or say a word.")
    return text + " " + _("9 is help."), answers.NOTHING


def _stay_asks(facts: Facts) -> Sentence:
    return _("Are you still here? Press any key or say a word."), answers.NOTHING


def _stay_over(facts: Facts) -> Sentence:
    return _("We do not hear you. We ring this phone now."), answers.NOTHING


def _unknown(facts: Facts) -> Sentence:
    """Somebody we have never heard of, and nobody is there to come: that is said first."""
    text = _("This is Lamp. Nobody can come to you now.")
    if plain.name(facts.who):
        text += " " + fill(
            facts, _("Press 3 to talk to a person: %(line)s."), line=plain.name(facts.who)
        )
    text += " " + _("Press 1 and we ring you; nobody else is told.")
    return text, answers.NOTHING


def _over(facts: Facts) -> Sentence:
    return _("There is no open alarm now. Thank you."), answers.NOTHING


def _unknown_shift(facts: Facts) -> Sentence:
    """Somebody we have never heard of, and people on shift would come."""
    text = _("This is Lamp. People on shift come if you stop answering.")
    text += " " + _("Press 1 and we ring you from time to time.")
    text += " " + _("Press 2 to stay on the line.")
    if plain.name(facts.who):
        text += " " + _("Press 3 to talk to a person.")
    return text, answers.NOTHING


def _withheld(facts: Facts) -> Sentence:
    """Somebody whose number we do not see: nothing can ring them."""
    text = _("This is Lamp. Your number is hidden, so we cannot ring you.")
    text += " " + _("Hang up, and call again with your number shown.")
    if plain.name(facts.who):
        text += " " + _("Press 3 to talk to a person.")
    return text, answers.NOTHING


def _abroad(facts: Facts) -> Sentence:
    """Somebody whose number is of a country, or of a kind, that this installation never rings."""
    text = _("This is Lamp. We cannot ring your number from here.")
    if plain.name(facts.who):
        text += " " + _("Press 3 to talk to a person.")
    return text, answers.NOTHING


def _where(facts: Facts) -> Sentence:
    text = _("It's on. Say where you are and how to get in, then press a key.")
    text += " " + _("Only people on shift hear it, if you stop answering.")
    return text + " " + _("It is destroyed when all is well."), answers.NOTHING


def _line(facts: Facts) -> Sentence:
    if not plain.name(facts.who):
        return _("Nobody answers calls now."), answers.NOTHING
    return fill(facts, _("People answer at %(line)s."), line=plain.name(facts.who)), answers.NOTHING


def _connecting(facts: Facts) -> Sentence:
    return _("We connect you now."), answers.NOTHING


def _how_soon(facts: Facts) -> Sentence:
    text = _("Thank you. In how many minutes are you there?")
    text += " " + _("Press 1 to 5, or 9 if it takes longer.")
    more = _("Then hang up: we ring you with where %(person)s is.") if facts.spoken else ""
    return f"{text} {contact_replies.where(facts) or fill(facts, more)}".strip(), answers.NOTHING


def _place(facts: Facts) -> Sentence:
    text = fill(facts, _("You are going to %(person)s."))
    return f"{text} {contact_replies.where(facts)}".strip(), answers.NOTHING


def _place_key(facts: Facts) -> Sentence:
    return fill(facts, _("Press 1 to hear where %(person)s is.")), answers.NOTHING


def _no_key(facts: Facts) -> Sentence:
    return _("No key was pressed. We try again."), answers.NOTHING


def _not_me(facts: Facts) -> Sentence:
    return _("Wrong number, or never again? Press 8."), answers.NOTHING


def _never_sure(facts: Facts) -> Sentence:
    text = _("Press 8 again, and we never call or text this number again.")
    return text, answers.NOTHING


def _never(facts: Facts) -> Sentence:
    text = _("All right. We do not call or text this number again.")
    return text + " " + _("Only the text START from it changes that."), answers.NOTHING


def _started_stopped(facts: Facts) -> Sentence:
    text = _("It's on. But this phone told us to stop, so we cannot ring it and ask you.")
    return text + " " + _("Text START to us first."), answers.NOTHING


def _people(facts: Facts) -> Sentence:
    """How many of the list said yes: whoever rings may have forged the number, so names are for
    texts."""
    text = _("%(n)d of the %(total)d people on your list said yes.")
    if facts.total == 1:
        text = _("One person is on your list, and said yes.")
        if not facts.n:
            text = _("One person is on your list, and has not said yes yet.")
    return text % {"n": facts.n, "total": facts.total}, answers.NOTHING


def _people_texted(facts: Facts) -> Sentence:
    text, keys = _people(facts)
    return text + " " + _("We text you their names."), keys


def _people_empty(facts: Facts) -> Sentence:
    return _("Nobody is on your list."), answers.NOTHING


def _people_keys(facts: Facts) -> Sentence:
    return _("To add somebody press 4. To hear your list press 3."), answers.NOTHING


def _add(facts: Facts) -> Sentence:
    return _("Key their phone number, then the pound key."), answers.NOTHING


def _add_not(facts: Facts) -> Sentence:
    text = _("We cannot reach that number. Key a whole phone number, then the pound key.")
    return text, answers.NOTHING


def _add_check(facts: Facts) -> Sentence:
    text = _("You keyed: %(number)s.") % {"number": facts.says} if facts.says else ""
    return (text + " " + _("Press 1 to add it, 2 to key it again.")).strip(), answers.NOTHING


def _added(facts: Facts) -> Sentence:
    text = _("We ask that number by text whether they will be there.")
    more = _("They hear where you are from tomorrow on.")
    tonight = _("So that they hear it tonight, send us back the code that we text you now.")
    return f"{text} {more} {tonight}", answers.NOTHING


def _added_no_door(facts: Facts) -> Sentence:
    text = _("We ask that number by text whether they will be there.")
    more = _("We do not tell them where you are: nobody can read here who added them.")
    return f"{text} {more}", answers.NOTHING


def _bye(facts: Facts) -> Sentence:
    return _("We hang up now. Call again at any time."), answers.NOTHING


SENTENCES: Mapping[str, Callable[[Facts], Sentence]] = {
    "call-list": alarm_lists.spoken,
    "call-menu": _menu,
    "call-started": _started,
    "call-started-alone": _started_alone,
    "call-on-watch": _on_watch,
    "call-stay": _stay,
    "call-stay-asks": _stay_asks,
    "call-stay-over": _stay_over,
    "call-over": _over,
    "call-unknown": _unknown,
    "call-unknown-shift": _unknown_shift,
    "call-where": _where,
    "call-withheld": _withheld,
    "call-abroad": _abroad,
    "call-connecting": _connecting,
    "call-line": _line,
    "call-soon": _how_soon,
    "call-place": _place,
    "call-place-key": _place_key,
    "call-no-key": _no_key,
    "call-not-me": _not_me,
    "call-never-sure": _never_sure,
    "call-never": _never,
    "call-started-stopped": _started_stopped,
    "call-people": _people,
    "call-people-texted": _people_texted,
    "call-people-empty": _people_empty,
    "call-people-keys": _people_keys,
    "call-add": _add,
    "call-add-not": _add_not,
    "call-add-check": _add_check,
    "call-added": _added,
    "call-added-no-door": _added_no_door,
    "call-bye": _bye,
    **own_voice.SENTENCES,
}
