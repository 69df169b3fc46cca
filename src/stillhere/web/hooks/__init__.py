"""What machines tell us: calls turn by turn, pushes, peers. Texts come in by `asgi/webhooks`."""
