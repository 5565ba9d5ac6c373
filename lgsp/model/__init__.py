"""The nouns of the hub: frozen values that call nobody. What was agreed, who takes part, what happens: a file each.

Times are POSIX seconds (float), durations carry their unit in the name.
"""
