"""How a PIN is kept under test: as the product keeps it, but for how often it is stirred.

Half a second of work on each guess is what makes PINs hard to guess, and proves nothing here.
"""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    """Django's first choice, a thousand times quicker."""

    iterations = 1_000
