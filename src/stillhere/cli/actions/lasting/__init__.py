"""Actions of the commands that last."""
