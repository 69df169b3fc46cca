"""A PostgreSQL that may move to another host, or fall silent."""
