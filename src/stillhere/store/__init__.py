"""Everything kept in the database."""
