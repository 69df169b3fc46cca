"""The order in which tests run (``tests/order.py``)."""

from __future__ import annotations

import pytest

from tests.order import spread

# file, slow, how many
FILES = (("a", False, 40), ("b", True, 3), ("c", True, 8), ("d", False, 5), ("e", True, 2))
TESTS = [(name, slow, no) for name, slow, many in FILES for no in range(many)]


def parts_of(tests: list[tuple[str, bool, int]], parts: int) -> list[list[tuple[str, bool, int]]]:
    """As the workers get them."""
    found = []
    for no in range(parts):
        size = len(tests) // (parts - no)
        found.append(tests[:size])
        tests = tests[size:]
    return found


def ordered(parts: int) -> list[tuple[str, bool, int]]:
    return spread(TESTS, parts, slow=lambda test: test[1], file=lambda test: test[0])


@pytest.mark.parametrize("parts", [1, 2, 3, 5])
def test_each_part_begins_with_its_share_of_the_slow_files(parts: int) -> None:
    order = ordered(parts)
    assert sorted(order) == sorted(TESTS)
    slow_files = []
    for part in parts_of(order, parts):
        slow = [test for test in part if test[1]]
        assert part[: len(slow)] == slow
        slow_files += sorted({test[0] for test in slow})
    assert sorted(slow_files) == ["b", "c", "e"], "no slow file is in two parts"


def test_a_share_larger_than_a_part_loses_nothing() -> None:
    tests = [("x", True, no) for no in range(9)] + [("y", False, 0)]
    order = spread(tests, 3, slow=lambda test: test[1], file=lambda test: test[0])
    assert sorted(order) == sorted(tests)
