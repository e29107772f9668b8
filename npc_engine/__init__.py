"""npc_engine: talking game characters, from a line of text to voice, face and pictures in step."""

__version__ = "0.1.0"
