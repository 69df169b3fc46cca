"""Chaos: a whole installation of real processes, people who check in, and one fault at a time.

``python -m tests.chaos`` (``make chaos``) runs every fault on both databases and says what was
lost, what left twice and what was late. Black box: what is held against each other is what the
people were answered, what the provider was handed, and what stands in the store at the end.
"""
