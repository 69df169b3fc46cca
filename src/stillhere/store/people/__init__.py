"""People, their lists, invitations and addresses, notifications, drills."""
