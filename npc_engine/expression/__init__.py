"""Speech becomes expressions: mel, network, look-ahead, limits, style, life."""
