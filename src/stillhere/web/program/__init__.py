"""The coordinator's desk, stock, shifts."""
