"""One plain function a round: tick, deliver, heartbeat, audit; what is due is erased in `audit`."""
