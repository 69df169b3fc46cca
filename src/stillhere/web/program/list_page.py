"""The lists of the desk in pages: each list has a number of its own in the address.

Any number opens something: what is none is the first page, what is too large the last one there is
now. Works without a script; a page that reloads itself stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.urls import reverse

from stillhere.web.access.fields import whole

SIZE = 20
DIGITS = 6
FIRST = "page"  # the list at the top of a page

T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """One page of a list: its ``rows``, the places of the first and the last of them, how many rows
    and pages there are, and the addresses of the pages beside it ("": there is none)."""

    rows: Sequence[T]
    first: int
    last: int
    total: int
    number: int
    pages: int
    before: str
    after: str


class PageTurner:
    """Which page of each of its ``lists`` an address is ``asked`` for."""

    def __init__(
        self, name: str, asked: QueryDict, lists: Sequence[str], args: Sequence[str] = ()
    ) -> None:
        self._address = reverse(name, args=args)
        wanted = {each: whole(asked.get(each, ""), DIGITS) or 1 for each in lists}
        self.numbers = {each: number for each, number in wanted.items() if number > 1}

    @property
    def query(self) -> str:
        """The same in an address: "?page=2", or nothing where all are at their first page."""
        return f"?{urlencode(self.numbers)}" if self.numbers else ""

    def page(self, name: str, rows: Sequence[T], size: int = SIZE) -> ListPage[T]:
        """The page of the list ``name`` that is asked for."""
        return self._page(name, rows, size)

    def page_of_query(self, name: str, rows: QuerySet[M], size: int = SIZE) -> ListPage[M]:
        """The same of what lies in the database: that page of it is read, and how many there
        are."""
        return self._page(name, rows, size)

    def _page(self, name: str, rows: Any, size: int) -> ListPage[Any]:
        book = Paginator(rows, size)
        here = book.page(min(self.numbers.get(name, 1), book.num_pages))
        return ListPage(
            list(here.object_list),
            here.start_index(),
            here.end_index(),
            book.count,
            here.number,
            book.num_pages,
            self._turned(name, here.number - 1) if here.has_previous() else "",
            self._turned(name, here.number + 1) if here.has_next() else "",
        )

    def _turned(self, name: str, number: int) -> str:
        turned = {**self.numbers, name: number}
        part = "" if name == FIRST else f"#{name}"
        return f"{self._address}?{urlencode(turned)}{part}"
