"""In front of Django: check-ins, webhooks, static files, limits on bodies and on simultaneous
pages."""
