"""Nights of the core alone: no database, no carriers, a thousand in a second or two.

Owns a second, much faster world beside the full-stack one. ``plan.py`` draws a night, ``nights.py``
lives it, ``observer.py`` keeps what anybody outside could know, ``rules/`` judges it. Refuses to
need Django.
"""
