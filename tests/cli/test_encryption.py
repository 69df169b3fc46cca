"""The sealed file: what was put in comes out, and whatever Mallory does to it is noticed."""

from __future__ import annotations

import io
import os

import pytest

from stillhere.cli.backup_file import encryption
from stillhere.cli.backup_file.encryption import CHUNK, HEADER, TAG, NotOpened, Opener, Sealer

WORDS = "five small words for Ruth"
ONE = CHUNK + TAG


def sealed(content: bytes, words: str = WORDS) -> bytes:
    target = io.BytesIO()
    sealer = Sealer(target, words, log_n=4)
    for start in range(0, len(content), 1000):
        sealer.write(content[start : start + 1000])
    sealer.finish()
    return target.getvalue()


def opened(file: bytes, words: str = WORDS) -> bytes:
    return io.BufferedReader(Opener(io.BytesIO(file), words)).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_put_in_comes_out(size: int) -> None:
    content = os.urandom(size)
    file = sealed(content)
    assert opened(file) == content
    assert size < 64 or content[:64] not in file


def test_the_same_content_is_never_sealed_the_same_way() -> None:
    assert sealed(b"Sam")[HEADER:] != sealed(b"Sam")[HEADER:]


def test_a_wrong_passphrase_is_said_to_be_wrong() -> None:
    with pytest.raises(NotOpened, match="passphrase does not open"):
        opened(sealed(b"Sam"), "five small words for Mallory")


def test_the_same_letters_open_it_however_they_were_typed() -> None:
    assert opened(sealed(b"Sam", "se\u00f1ora en la cocina"), "sen\u0303ora en la cocina") == b"Sam"


def test_a_flipped_bit_anywhere_is_noticed() -> None:
    file = sealed(os.urandom(2 * CHUNK + 100))
    places = [0, 20, HEADER - 1, HEADER, HEADER + CHUNK, HEADER + ONE + 5, len(file) - 1]
    for place in places:
        broken = bytearray(file)
        broken[place] ^= 1
        with pytest.raises(NotOpened):
            opened(bytes(broken))


def test_an_end_that_is_missing_is_noticed() -> None:
    file = sealed(os.urandom(2 * CHUNK + 100))
    for length in (0, 10, HEADER, HEADER + 5, HEADER + ONE, HEADER + 2 * ONE, len(file) - 1):
        with pytest.raises(NotOpened):
            opened(file[:length])


def test_chunks_that_were_moved_repeated_left_out_or_added_are_noticed() -> None:
    file = sealed(os.urandom(3 * CHUNK + 100))
    head, body = file[:HEADER], file[HEADER:]
    a, b, c, last = body[:ONE], body[ONE : 2 * ONE], body[2 * ONE : 3 * ONE], body[3 * ONE :]
    for forged in (b + a + c + last, a + a + b + c + last, a + c + last, a + b + c + last + last):
        with pytest.raises(NotOpened):
            opened(head + forged)


def test_a_chunk_of_another_backup_is_noticed() -> None:
    one, other = sealed(os.urandom(2 * CHUNK)), sealed(os.urandom(2 * CHUNK))
    with pytest.raises(NotOpened):
        opened(one[: HEADER + ONE] + other[HEADER + ONE :])
    with pytest.raises(NotOpened):  # not even under the same passphrase, below another header
        opened(other[:HEADER] + one[HEADER:])


def test_nothing_is_handed_out_before_it_is_proved() -> None:
    broken = bytearray(sealed(os.urandom(2 * CHUNK)))
    broken[HEADER + 5] ^= 1
    opener = Opener(io.BytesIO(bytes(broken)), WORDS)
    with pytest.raises(NotOpened):
        opener.read(1)


def test_a_file_cannot_ask_for_more_memory_than_a_machine_has() -> None:
    file = bytearray(sealed(b"Sam"))
    file[len(encryption.MAGIC)] = 30
    with pytest.raises(NotOpened, match="damaged"):
        opened(bytes(file))
