"""Nights and weeks of the whole product: real store, engine and pages, in memory."""
