"""Measures that officials could take: places to build, to turn public or inclusive, and to close, each as a whole."""
