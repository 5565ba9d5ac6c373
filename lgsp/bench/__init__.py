"""The benches: how fast the hub is beside the naive way, a pass-through and nginx, driven from outside by commands and doors only."""
