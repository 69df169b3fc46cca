"""Watches: the only writer (`apply.py`), the group commit, the outbox, and rows that cannot be
read."""
