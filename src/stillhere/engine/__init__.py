"""One plain function a round: tick, deliver, audit, heartbeat. `loop.py` has the only threads."""
