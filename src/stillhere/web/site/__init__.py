"""What all pages share: sentences, errors, preferences, health."""
