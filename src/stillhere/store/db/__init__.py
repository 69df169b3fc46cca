"""The database itself: encryption, the one clock, time limits, row locks, a full disk, both
engines."""
