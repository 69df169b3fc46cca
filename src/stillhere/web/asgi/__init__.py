"""In front of Django: check-ins, webhooks, static files, pages that are kept, limits on bodies and
on simultaneous pages."""
