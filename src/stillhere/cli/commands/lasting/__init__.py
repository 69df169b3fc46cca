"""Commands that last: they run until somebody ends them, and write a log."""
