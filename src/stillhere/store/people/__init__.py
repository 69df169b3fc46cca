"""People, their contacts and addresses, notifications, drills."""
