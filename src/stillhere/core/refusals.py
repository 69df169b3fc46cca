"""What is refused, by name. The sentence for each is in the catalogue of the pages.

The values appear in addresses, so they never change.
"""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why nothing was changed."""

    # Of the core.
    OVER = "over"
    NO_ALARM = "no-alarm"
    NOT_ON_IT = "not-on-it"
    NO_PAUSE = "no-pause"
    LONG_PAUSE = "long-pause"
    NOT_QUIETLY = "not-quietly"
    KEEPS_OPEN = "keeps-open"
    BE_THERE = "be-there"
    # Of the store.
    NO_WAY = "no-way"
    NO_WAY_TO_ME = "no-way-to-me"
    MINUTES = "minutes"
    LIST_FULL = "list-full"
    SUPPRESSED = "suppressed"
    ALARM_OPEN = "alarm-open"
    LOOK_FIRST = "look-first"
    NO_DRILL = "no-drill"
    DRILLED = "drilled"
    WRONG_CODE = "wrong-code"
    NO_MORE_CODES = "no-more-codes"
    ASKED_ENOUGH = "asked-enough"
    NO_NAME = "no-name"
    VOLUNTEERS_FULL = "volunteers-full"
    NUMBER_TAKEN = "number-taken"
    OWN_NUMBER = "own-number"
    KIT_FORM = "kit-form"
    KIT_DOSES = "kit-doses"
    KIT_MONTH = "kit-month"
    KIT_FAR = "kit-far"
    KIT_TAKEN = "kit-taken"
    KIT_GONE = "kit-gone"
    KIT_STRANGER = "kit-stranger"
    KIT_MANY = "kit-many"
    KIT_SHEET = "kit-sheet"
    NEWS_WHAT = "news-what"
    NEWS_DAYS = "news-days"
    WHO_SAYS = "who-says"
    NEWS_DAY = "news-day"
    NEWS_AHEAD = "news-ahead"
    NEWS_OLD = "news-old"
    NEWS_PLAIN = "news-plain"
    FILE_NONE = "file-none"
    FILE_COLUMNS = "file-columns"
    FILE_HEAD = "file-head"
    FILE_TEXT = "file-text"
    FILE_FORM = "file-form"
    FILE_EMPTY = "file-empty"
    KIT_ROWS = "kit-rows"
    SHIFT = "shift"
    ON_ALARM = "on-alarm"
    WISH = "wish"
    FORCE_LENGTH = "force-length"
    FORCE_COMMON = "force-common"
    FORCE_PIN = "force-pin"
    FORCE_NOBODY = "force-nobody"
