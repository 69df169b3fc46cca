"""The person's own pages: the watch, people, routine, PIN, recovery, their data, a try-out."""
