"""The installation: its key for the desk, what was proved, peers, backups, upkeep, a clock set
back."""
