"""The product's PostgreSQL, emptied between tests at the price of what a test wrote."""
