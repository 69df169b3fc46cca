"""Ways to reach a phone, one file each, and what they share: contract, pager, network policy."""
