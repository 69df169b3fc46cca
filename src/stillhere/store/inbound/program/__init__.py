"""What whoever is on call answers to a page."""
