"""One sealed file: made, proved whole, rotated, opened."""
