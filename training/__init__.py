"""Training of the Audio2Exp network; the runtime never imports this."""
