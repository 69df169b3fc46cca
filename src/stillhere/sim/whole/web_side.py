"""The web process: what pages and phones send in, stored in groups, answered after the commit.

Owns what a crash of the web takes with it (requests nobody answered), and the moments in which a
request gets in between two transactions of the engine. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TypeVar

from django.db import Error

from stillhere.sim import invariants
from stillhere.sim.invariants import require
from stillhere.sim.whole.service import Died, Service
from stillhere.store.watches.apply import Asked, Change, ChangeResult, apply_batch

T = TypeVar("T")
AGAIN_MS = 3_000  # how long a page waits before it sends again
LURK_MS = 200


@dataclass(frozen=True, slots=True)
class Request:
    """Something a phone asked of a watch, and who waits for the answer."""

    what: Asked
    watch: int
    done: Callable[[ChangeResult], None]
    failed: Callable[[], None]


class WebSide:
    """Everything on its way into the store."""

    def __init__(self, service: Service) -> None:
        self._service, self._world, self._night = service, service.world, service.night
        self._dice: Random = self._world.dice("web")
        self._waiting: list[Request] = []
        self._lurking: list[Request] = []
        service.web.loses = self._lose
        service.storage.between = self._slip_in

    def _lose(self) -> None:
        lost, self._waiting, self._lurking = self._waiting + self._lurking, [], []
        self._fail(lost)

    def _fail(self, requests: Sequence[Request]) -> None:
        """They hear nothing, and find out after a while."""
        for request in requests:
            self._world.after(self._dice.randrange(50, 2_000), request.failed)

    # --- watches --------------------------------------------------------------------------------

    def send(self, request: Request) -> None:
        """A page or phone sends something; whatever waits at one moment shares a transaction."""
        if not self._service.web.up:
            self._fail([request])
            return
        self._waiting.append(request)
        if len(self._waiting) == 1:
            self._world.after(self._dice.randrange(0, 8), self._commit)

    def _commit(self) -> None:
        group, self._waiting = self._waiting, []
        lurks = bool(group) and not self._lurking and self._dice.random() < 0.15
        if lurks and self._world.has("requests slip in"):
            self._lurking = group  # in the middle of the engine's next round, or a little later
            self._world.after(LURK_MS, self._lurk_no_more)
        elif group:
            self._store(group)

    def _lurk_no_more(self) -> None:
        group, self._lurking = self._lurking, []
        if group:
            self._store(group)

    def _slip_in(self) -> None:
        """Between two transactions of the engine another process may get in."""
        storage = self._service.storage
        if not self._lurking or storage.acting != "engine" or self._dice.random() < 0.6:
            return
        group, self._lurking = self._lurking, []
        acting, storage.acting = storage.acting, None
        self._service.look_on()
        self._world.say("the web gets in between")
        self._store(group)
        storage.acting = acting

    def _store(self, group: Sequence[Request]) -> None:
        """As ``store/watches/group_commit.py``: together, else one by one, and each gets its own
        answer."""
        try:
            self._apply(group)
        except Died:
            self._fail(group)
        except Error:
            for request in group:
                try:
                    self._apply([request])
                except (Died, Error):
                    self._fail([request])

    def _apply(self, group: Sequence[Request]) -> None:
        now = self._service.now()
        attempts = self._night.tried([(request.watch, request.what) for request in group], now)
        for request in group:
            self._world.say(f"watch {request.watch} hears {request.what}")
        changes = [Change(request.what, watch=request.watch) for request in group]
        answers = self._service.act(self._service.web, partial(apply_batch, changes), attempts)
        for request, attempt, answer in zip(group, attempts, answers, strict=True):
            lost = self._dice.random() < 0.02  # stored, and the answer is lost on its way
            if lost and self._world.has("answers get lost"):
                self._fail([request])
                continue
            require(invariants.FOR_EVERY_ANSWER, self._night, attempt, answer)
            self._night.answered(attempt, answer)
            request.done(answer)

    # --- everything else ------------------------------------------------------------------------

    def call(self, deed: Callable[[], T], done: Callable[[T], None]) -> None:
        """Any other request of a page, sent again until it is answered."""
        if self._service.web.up:
            try:
                result = self._service.act(self._service.web, deed)
            except (Died, Error) as failure:
                self._world.say(f"web: a request failed: {type(failure).__name__}")
            else:
                done(result)
                return
        self._world.after(AGAIN_MS, partial(self.call, deed, done))
