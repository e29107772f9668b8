"""A line becomes speech; one file a voice engine."""
