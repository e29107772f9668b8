"""The npc-engine command."""


def main() -> None:
    """Run the npc-engine command."""
