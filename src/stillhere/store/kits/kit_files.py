"""Lists of kits that come in as a file, like the stock of a program.

Owns what a row says about a kit. A row that cannot be is left out and named, and the others come
in; a list that is sent twice adds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction

from stillhere.core.refusals import Refusal
from stillhere.store.db import clock
from stillhere.store.kits import kits
from stillhere.store.kits.kits import MOST_STOCK, Inside
from stillhere.store.kits.spreadsheet import Row, UnknownColumns
from stillhere.store.models import Kit
from stillhere.store.problems import Problem

AGAIN_MS = 600_000  # the same file within this was sent twice
NEEDED = ("form", "doses")
# What others call our columns. Those of a month and a lot mean the same everywhere and are read;
# "quantity" may count boxes, so it is only proposed.
_SAME = {
    "expires": ("expiry", "exp", "exp date", "expiration", "expiration date", "expiry date",
                "use by", "caducidad", "vence"),
    "lot": ("lot number", "lot #", "lot no", "lot no.", "batch", "lote"),
}  # fmt: skip
_MEANT = {
    "product": "form", "item": "form", "type": "form", "kind": "form", "name": "form",
    "description": "form", "brand": "form", "producto": "form", "tipo": "form",
    "quantity": "doses", "qty": "doses", "count": "doses", "units": "doses", "dosis": "doses",
    "amount": "doses", "cantidad": "doses",
}  # fmt: skip
_YES = ("yes", "y", "true", "1", "x", "si", "sí")


@dataclass(slots=True)
class KitImport:
    """What became of a file of kits: how many were added, changed, and are as they were; how many
    are not in stock any more, because somebody carries them or they are gone; and why which rows
    were left out."""

    added: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    left: list[tuple[int, Refusal]] = field(default_factory=list)


def take_in(rows: Sequence[Row]) -> KitImport:
    """Import the rows of a file into stock.

    A row with a kit's key says what is in that kit; if nobody has looked into it, it says nothing.
    A row without a key is one more kit, unless the whole file was already imported a moment ago.
    Raises Problem: too many rows, columns that we need and do not find, or no row that can be.
    """
    _judge(rows)
    taken = KitImport()
    new: list[tuple[Inside, bool]] = []
    with transaction.atomic():
        for number, row in rows:
            try:
                more = _take_row(_in_our_names(row), taken)
            except Problem as problem:
                taken.left.append((number, problem.why))
                continue
            new += [more] if more is not None else []
        if len(taken.left) == len(rows):
            number, why = taken.left[0]
            raise Problem(why, row=number)
        if _was_sent(new):
            taken.same += len(new)
            return taken
        for what, empty in new:
            kit = kits.add(what)
            if empty:
                kits.used(kit)
        taken.added = len(new)
    return taken


def _judge(rows: Sequence[Row]) -> None:
    if not rows:
        raise Problem(Refusal.FILE_COLUMNS)
    found = rows[0][1]
    missing = [(name,) for name in NEEDED if name not in found]
    if missing:
        raise UnknownColumns(found, missing, _MEANT)
    if len(rows) > MOST_STOCK:
        raise Problem(Refusal.KIT_ROWS)


def _was_sent(new: Sequence[tuple[Inside, bool]]) -> bool:
    """Whether all of these were added a moment ago."""
    there = kits.added_within(kits.stock().filter(responder=None), AGAIN_MS)
    wanted = Counter(replace(what, place=None) for what, _empty in new)
    return all(len(there[what]) >= many for what, many in wanted.items())


def _in_our_names(row: Mapping[str, str]) -> dict[str, str]:
    """A row under the names that we know."""
    ours = dict(row)
    for name, others in _SAME.items():
        if name not in ours:
            ours[name] = next((row[other] for other in others if row.get(other)), "")
    return ours


def _take_row(row: Mapping[str, str], taken: KitImport) -> tuple[Inside, bool] | None:
    """Store what a row says about a kit in stock. A kit that is new is returned, with whether it is
    empty."""
    key = row.get("kit", "").removeprefix("'")
    kit = kits.by_key(key) if key else None
    unsaid = not row.get("form") and row.get("doses", "") in ("", "0")  # nobody has looked into it
    if key and (kit is None or kit.person_id or kit.contact_id):
        taken.gone += 1  # an older file knows less of it than whoever carries it
        return None
    if unsaid:
        taken.same += 1
        return None
    what, empty = kits.inside(row), row.get("used", "").casefold() in _YES
    if kit is None:
        return what, empty
    if "used" not in row:  # not said
        empty = bool(kit.used_at)
    new = _as_told(kit, what, empty)
    taken.changed, taken.same = taken.changed + new, taken.same + (not new)
    return None


def _as_told(kit: Kit, what: Inside, empty: bool) -> bool:
    """Whether a kit's row says anything new about it; what it says is stored."""
    told = Inside(kit.form, kit.doses, kit.expires, kit.lot)
    if told == what and empty == bool(kit.used_at):
        return False
    since = kit.used_at
    kits.change(kit, what)
    if empty:
        kit.used_at = since or clock.now_ms()
        kit.save(update_fields=["used_at"])
    return True
