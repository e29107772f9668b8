"""A small village whose people speak: the engine's demo. Of ours it uses the Python client and nothing else."""
