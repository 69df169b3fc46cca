"""Rules about what goes wrong from outside: whom it concerns is told, and no word is false."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.sim.invariants.asking import SLACK_MS
from stillhere.sim.invariants.words import URGENT_MS
from stillhere.sim.whole.evidence import Attempt, Evidence
from stillhere.sim.whole.troubles import DamagedWatch
from stillhere.store.watches.apply import ChangeResult

PAGE = "page-quarantine"


def nobody_hears_got_it_of_a_row_that_cannot_be_read(
    night: Evidence, attempt: Attempt, answer: ChangeResult
) -> Iterator[str]:
    damaged = night.troubles.damaged.get(attempt.watch)
    if damaged is None:
        return
    if answer.refused is None and not answer.quarantined:
        yield f"watch {attempt.watch} cannot be read, and {attempt.what} was taken"
    elif damaged.aside_t is None:
        yield f"watch {attempt.watch} cannot be read, was touched, and is not set aside"


def a_row_that_cannot_be_read_is_set_aside_when_it_falls_due(night: Evidence) -> Iterator[str]:
    sql = "SELECT id, wake_at FROM watch WHERE state <> 'closed' AND quarantined_at IS NULL"
    for id, wake_at in night.storage.look(sql) if night.troubles.damaged else ():
        damaged = night.troubles.damaged.get(id)
        if damaged is None:
            continue
        if wake_at is None or max(wake_at, damaged.at) < night.now - SLACK_MS:
            yield f"watch {id} cannot be read, was due at {wake_at}, and is not set aside"


def people_are_told_of_a_row_that_cannot_be_read(night: Evidence) -> Iterator[str]:
    """The first rung and the coordinator: in the same moment, and off within seconds."""
    for damaged in night.troubles.damaged.values():
        if damaged.aside_t is None:
            continue
        missing = set(damaged.first) - _told(night, damaged, handed=False)
        paged = any(m.watch == damaged.watch and m.word == PAGE for m in night.mails.values())
        if missing or not paged:
            yield f"watch {damaged.watch} was set aside: {sorted(missing)} not told, paged: {paged}"
        if night.up_ms(damaged.aside_t, night.t) < 2 * URGENT_MS or night.full_since(
            damaged.aside_t
        ):
            continue
        missing = {
            contact
            for contact in damaged.first - _told(night, damaged, handed=True) - night.left
            if _ways(night, contact)
        }
        if missing:
            yield f"watch {damaged.watch} was set aside, and nothing left for {sorted(missing)}"


def _told(night: Evidence, damaged: DamagedWatch, *, handed: bool) -> set[int | None]:
    return {
        m.contact
        for m in night.mails.values()
        if m.watch == damaged.watch and m.word == "alarm" and m.created_at >= damaged.at
        and (m.handed or m.id in night.turned_away or not handed)
    }  # fmt: skip


def _ways(night: Evidence, contact: int) -> bool:
    """Whether anything may reach them: a number that was not proved then, and whose rings of today
    are used up, may not be rung."""
    sql = (
        "SELECT 1 FROM address a JOIN contact c ON c.id = a.contact_id WHERE c.id = ? "
        "AND a.state = 'ok' AND c.status IN ('invited', 'confirmed') "
        "AND NOT EXISTS (SELECT 1 FROM message m WHERE m.address_id = a.id "
        "AND m.word = 'alarm' AND m.status = 'dropped' AND m.attempts > 0 "
        "AND (a.proved_at = 0 OR a.proved_at > m.created_at))"
    )
    return bool(night.storage.look(sql, contact))
