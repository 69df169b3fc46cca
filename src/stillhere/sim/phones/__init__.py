"""The demo's phones: a loopback provider of texts and calls, a process of its own."""
