"""Whose an address is, and what may be sent to one that nobody has shown to be theirs."""
