"""Reports for officials: the city, its areas and their kindergartens, and files with names by two people."""
