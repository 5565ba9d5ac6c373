"""From tables to bytes and back; no I/O."""
