"""Expressions become pictures: portraits, encoding."""
