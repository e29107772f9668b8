"""Faces by networks that the user owns: LivePortrait moves a picture, GFPGAN restores what was drawn."""
