"""In front of Django: check-ins, webhooks, static files, limits of bodies and of pages at once."""
