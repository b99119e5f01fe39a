"""What surrounds the application: pure ASGI middleware, each for one concern."""
