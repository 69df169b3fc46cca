"""Pages and the fast lane. `urls.py` names every address."""
