"""What is said back to a number that nobody has here."""
