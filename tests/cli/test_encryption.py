"""The sealed file: what was put in comes out, and whatever Mallory does to it is noticed."""

from __future__ import annotations

import io
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from stillhere.cli.backup_file import encryption, recipient
from stillhere.cli.backup_file.encryption import (
    CHUNK,
    HEADER,
    TAG,
    TO_KEY,
    TO_KEY_HEADER,
    NotOpened,
    Opener,
    Sealer,
)
from stillhere.config.environment import SettingError

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


RUTHS = X25519PrivateKey.generate()


def to_ruth(content: bytes, at: int = 0) -> bytes:
    """Sealed to Ruth's public key, by a machine that has nothing else."""
    target = io.BytesIO()
    sealer = Sealer(target, RUTHS.public_key(), at=at)
    sealer.write(content)
    sealer.finish()
    return target.getvalue()


def by(secret: encryption.Secret, file: bytes) -> bytes:
    return io.BufferedReader(Opener(io.BytesIO(file), secret)).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK + 5])
def test_what_is_sealed_to_a_public_key_opens_with_the_private_one_alone(size: int) -> None:
    content = os.urandom(size)
    file = to_ruth(content)
    assert by(RUTHS, file) == content
    assert size < 64 or content[:64] not in file
    with pytest.raises(NotOpened, match="sealed to another one"):
        by(X25519PrivateKey.generate(), file)
    with pytest.raises(NotOpened, match="only the private one"):
        by(WORDS, file)
    with pytest.raises(NotOpened, match="under a passphrase"):
        by(RUTHS, sealed(content))


def test_what_the_machine_has_opens_no_backup() -> None:
    """The public key in place of the private one, and the key of another file."""
    file, other = to_ruth(b"Sam"), io.BytesIO()
    public = RUTHS.public_key().public_bytes_raw()
    for secret in (
        X25519PrivateKey.from_private_bytes(public),
        Sealer(other, RUTHS.public_key()).key,
    ):
        with pytest.raises(NotOpened):
            by(secret, file)


def test_a_flipped_bit_of_one_sealed_to_a_key_is_noticed_and_so_is_a_missing_end() -> None:
    file = to_ruth(os.urandom(CHUNK + 100))
    for place in (0, 20, 51, 83, 91, 100, TO_KEY_HEADER - 1, TO_KEY_HEADER, len(file) - 1):
        broken = bytearray(file)
        broken[place] ^= 1
        with pytest.raises(NotOpened):
            by(RUTHS, bytes(broken))
    for length in (0, 19, TO_KEY_HEADER - 1, TO_KEY_HEADER, TO_KEY_HEADER + CHUNK + TAG):
        with pytest.raises(NotOpened):
            by(RUTHS, file[:length])
    weak = file[: len(TO_KEY) + 32] + bytes(32) + file[len(TO_KEY) + 64 :]
    with pytest.raises(NotOpened, match="damaged"):
        by(RUTHS, weak)


def test_a_written_key_shows_its_mistakes_and_is_not_repeated() -> None:
    private, public = recipient.new()
    pair = recipient.private(f" {private}\n"), recipient.public(public)
    assert pair[0].public_key().public_bytes_raw() == pair[1].public_bytes_raw()
    for typed in (public, private[:-1], private.swapcase(), "", private.replace(private[20], "_")):
        with pytest.raises(SettingError) as told:
            recipient.private(typed)
        assert not typed or typed not in str(told.value)
    for typed in (private, public[:-1], public[:20] + public[21:] + "A"):
        with pytest.raises(SettingError, match="Copy the whole line"):
            recipient.public(typed)
