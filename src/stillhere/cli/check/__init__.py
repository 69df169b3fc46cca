"""What `stillhere check` looks at."""
