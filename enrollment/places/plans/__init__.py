"""The receipt of a level's places, and the loss of a class after its places were offered."""
