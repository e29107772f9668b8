"""The commands of npc-engine; one file each."""
