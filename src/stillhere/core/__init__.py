"""What a watch is: pure values and functions, simulated for years in a night."""
