"""One plain function a round: tick, deliver, heartbeat, audit, erasure."""
