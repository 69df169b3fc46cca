"""The `stillhere` command, and the supervisor that keeps everything running."""
