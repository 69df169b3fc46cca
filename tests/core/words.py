"""What is understood in the languages of this source, and reading with it."""

from __future__ import annotations

import tomllib
from functools import partial
from pathlib import Path

from stillhere.core import replies, vocabulary

LOCALES = Path(vocabulary.__file__).resolve().parent.parent / "locale"
FILES = {
    path.parent.name: path.read_text("utf-8") for path in sorted(LOCALES.glob("*/understood.toml"))
}
WORDS = vocabulary.load(FILES)
SLIPS = {
    slip: word
    for text in FILES.values()
    for word, slips in tomllib.loads(text)["slips"].items()
    for slip in slips.split()
}
read_text = partial(replies.read_text, words=WORDS)
read_minutes = partial(replies.read_minutes, words=WORDS)
language_of = partial(replies.language_of, words=WORDS)
speaks_of_another = partial(replies.speaks_of_another, words=WORDS)
