"""lgsp: the open integration hub of a province."""
