"""Serves stand-ins of outside systems on real ports, with faults to order; for development and tests only."""
