"""Whom a page goes to: who is on call, at what hours, and who is tried next."""
