"""The WebSocket gateway: browsers and WebGL games, which have no raw TCP, speak to the engine through it."""
