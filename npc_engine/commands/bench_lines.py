"""What characters say while a server is measured: hundreds of lines, so that none is said twice in one measurement."""

from __future__ import annotations

from typing import Final

OPENINGS: Final = (
    "Mind your step, traveller, the stones are wet after the rain.",
    "You look like you have walked a long way.",
    "The old bridge is broken, so take the path along the river.",
    "I would not go into the marsh after dark if I were you.",
    "Three silver coins for the map, and not one less.",
    "My brother went up the mountain this morning.",
    "Nobody enters the castle without a letter from the king.",
    "Have you seen a black cat with one white ear?",
    "Bring me five red mushrooms and I will brew it tonight.",
    "They say that something large sleeps under the hill.",
    "Good morning! The bread is still warm.",
    "Your sword is blunt, and your shield has seen better days.",
    "Keep your voice down, the walls are thin here.",
    "The harvest was poor, and winter is coming early.",
    "I knew your father; he owed me a horse.",
    "We found this coin in the well behind the chapel.",
    "The ferry leaves at noon, if the wind allows it.",
    "There were twelve of them, all dressed in grey.",
    "Somebody has been at my strongbox again.",
    "The road to the north is closed until the snow melts.",
)
CLOSINGS: Final = (
    "Ask the miller, she remembers everything.",
    "Stay to the left where the path divides, and do not stop.",
    "If you hear bells, turn round.",
    "That is all I know, and it is more than I should have said.",
    "Will you help us, or shall I ask the other one?",
    "I will mark the place for you before you go.",
    "Nothing has been the same since the tower fell.",
    "Come back when you have made up your mind.",
    "The guards change at midnight, and then you have a moment.",
    "You may sit by the fire if you tell me a story.",
    "Take this lantern; you will be glad of it down there.",
    "My grandmother could have told you the rest of it.",
    "And please, whatever you do, leave the red door shut.",
    "Bring a friend, one who can swim.",
    "We have not seen him since, and nobody has asked.",
    "It was not there yesterday, I would swear to that.",
    "Do not thank me yet.",
    "Trust no map that was drawn before the flood.",
    "Then I counted again, and one of them was gone.",
    "I have no quarrel with you, but I will not move.",
)


def line(speaker: int, number: int) -> str:
    """What a speaker says as its line of this number: one or two sentences, 20 to 140 characters.

    Speakers that are near one another say different things, and each goes through all 420 before it repeats one.
    """
    # 11 has no factor in common with 420, and 97 keeps neighbours 47 lines apart
    turn, opening = divmod((97 * speaker + 11 * number) % (len(OPENINGS) * (len(CLOSINGS) + 1)), len(OPENINGS))
    return OPENINGS[opening] if turn >= len(CLOSINGS) else f"{OPENINGS[opening]} {CLOSINGS[turn]}"
