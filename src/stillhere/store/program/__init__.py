"""The people of a programme: shifts."""
