"""The ZeroMQ socket thread, performers and metrics."""
