"""Live sound as it comes, of a microphone or a voice chat, becomes speech."""
