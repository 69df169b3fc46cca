"""What a person can take away, and what is erased when."""
