"""What the hub is measured against, each a program of its own: a provider, the naive ways, a pass-through."""
