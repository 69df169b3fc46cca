"""What comes in from phones: stored once, read, carried out, answered."""
