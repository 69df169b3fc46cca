"""Pages that wait: told over a connection that stays open, instead of asking every two seconds."""
