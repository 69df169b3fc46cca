"""What all pages share: texts, errors, preferences, health."""
