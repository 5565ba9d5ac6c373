"""Pure decisions: what follows from facts, with no clock, chance or outside thing."""
