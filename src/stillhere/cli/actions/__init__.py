"""What commands do once Django is set up, one file a command."""
