"""Search for kindergartens in memory: texts in which words are looked for, distances, and the places that they are measured from."""
