"""Rules about a word under force: whoever was chosen hears it, and nothing else shows it."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.core.events import Cause
from stillhere.sim.whole.evidence import Evidence, Mail, ObservedChange
from stillhere.store.db import encryption


def a_word_under_force_shows_on_no_watch_of_their_own(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    """Their pages, polls and exports show what is theirs: a watch of somebody else is not."""
    if _begins(change) and _owner(night, change.after.id) is None:
        yield f"watch {change.after.id} calls for help in secret, and its own phone shows it"


def whoever_was_chosen_hears_a_word_under_force(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    owner = _owner(night, change.after.id) if _begins(change) else None
    if owner is None:
        return
    assert change.after.alarm is not None
    called = {
        way for c in change.after.alarm.circle.contacts() for way in _numbers(night, c)
    }  # fmt: skip
    if missing := night.chosen.get(owner, set()) - called:
        yield f"watch {change.after.id}: {len(missing)} ways of those chosen are not on its ladder"


def nobody_but_those_chosen_hears_a_word_under_force(night: Evidence, mail: Mail) -> Iterator[str]:
    story = night.story_of(mail)
    if mail.watch is None or story is None or mail.address is None:
        return
    if story.cause is not Cause.FORCE and mail.word != "forced":
        return
    if mail.contact is None:
        yield f"{mail.word} about a word under force goes to the phone of the one who said it"
        return
    owner = _owner(night, mail.watch)
    others = _numbers(night, mail.contact) - night.chosen.get(owner or 0, set())
    if others:
        yield f"{mail.word} about a word under force goes to contact {mail.contact}, not chosen"


def _begins(change: ObservedChange) -> bool:
    """Whether this is the moment of a call for help in secret."""
    was = change.before.alarm if change.before is not None else None
    now = change.after.alarm
    secret = now is not None and now.cause is Cause.FORCE
    return secret and (was is None or was.cause is not Cause.FORCE)


def _owner(night: Evidence, watch: int) -> int | None:
    """Who said the word for which this watch was made; None if it is somebody's own."""
    sql = (
        "SELECT p.force_word FROM watch w JOIN person p ON p.id = w.person_id "
        "WHERE w.id = ? AND p.secret"
    )
    [(mark,)] = night.storage.look(sql, watch) or [(None,)]
    return next((p for p in night.chosen if mark == encryption.lookup("secret", str(p))), None)


def _numbers(night: Evidence, contact: int) -> set[bytes]:
    found = night.storage.look("SELECT lookup FROM address WHERE contact_id = ?", contact)
    return {bytes(lookup) for (lookup,) in found}
