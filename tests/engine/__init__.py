"""The engine's tests: cases with known answers, definitions tried on every tiny market, and other programs' answers."""
