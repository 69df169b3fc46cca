"""The sealed backup file: making, proving, rotating and opening it."""
