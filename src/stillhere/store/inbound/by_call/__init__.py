"""What somebody says of themselves in a call."""
