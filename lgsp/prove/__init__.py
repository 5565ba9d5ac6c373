"""The crash test: drives real nodes from outside while faults strike them, then holds three books against one another."""
