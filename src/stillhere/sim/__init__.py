"""Seeded nights and weeks, judged from outside; made-up people; the demo."""
