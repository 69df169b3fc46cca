"""Kits and their stickers."""
