"""Reviewed texts and data (TOML), and what loads and checks them: steps, helplines, reading."""
