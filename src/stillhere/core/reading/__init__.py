"""Reading what people write: the signs of danger in a text, wherever they stand."""
