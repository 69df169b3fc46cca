"""Settings from the environment; the clocks, keys and channels that everything below is given."""
