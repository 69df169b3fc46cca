"""The model of false alarms counts what it says it counts."""

from __future__ import annotations

import random
from dataclasses import replace
from importlib import resources

import pytest

from benchmarks.false_alarms import People, lives_through, needed, rate
from stillhere.core import profiles

KNOWN = profiles.load(
    resources.files("stillhere.content").joinpath("profiles.toml").read_text("utf-8")
)
ALWAYS = People(1.0, 1.0, 1.0, 0.0, 1.0, (1, 2))


def test_whoever_sees_every_ask_raises_no_alarm() -> None:
    asks, alarms = rate(KNOWN["injected"], ALWAYS, 50, 1)
    assert alarms == 0
    assert 8 <= asks <= 12


def test_whoever_is_never_reached_raises_one_at_the_first_ask() -> None:
    never = replace(ALWAYS, sees=0.0, text=0.0, ring=0.0)
    assert lives_through(KNOWN["injected"], never, random.Random(1)) == (1, True)


def test_the_ring_alone_is_enough_and_comes_twice() -> None:
    only_rings = replace(ALWAYS, sees=0.0, text=0.0, ring=0.5)
    _, twice = rate(KNOWN["injected"], only_rings, 500, 1)
    _, once = rate(replace(KNOWN["injected"], grace_s=30), only_rings, 500, 1)
    assert twice < once


def test_too_slow_to_tap_is_a_miss() -> None:
    slow = replace(ALWAYS, reacts_s=(61, 62))
    assert lives_through(KNOWN["injected"], slow, random.Random(1))[1]


def test_one_seed_is_one_table() -> None:
    people = People.drawn(random.Random(3))
    assert rate(KNOWN["snorted"], people, 50, 7) == rate(KNOWN["snorted"], people, 50, 7)


def test_what_one_ask_may_miss_follows_from_the_goal() -> None:
    assert needed(KNOWN["injected"]) == pytest.approx(1 - 0.97 ** (1 / 9), rel=0.2)
