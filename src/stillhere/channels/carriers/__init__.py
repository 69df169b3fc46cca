"""Who carries texts and calls, and several of them behind one channel."""
