"""The people of a program: shifts."""
