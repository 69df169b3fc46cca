"""What carriers and browsers tell us: calls turn by turn, pushes, other installations."""
