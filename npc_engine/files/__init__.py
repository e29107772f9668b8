"""Moments become files: sound, curves, video and sheets; one writer a kind, each fed moment by moment."""
