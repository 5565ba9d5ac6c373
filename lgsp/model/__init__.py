"""The nouns of the hub: frozen values that call nobody.

What was agreed, how SOAP consumers see it, who takes part, what happens: a file each.
Times are POSIX seconds (float), durations carry their unit in the name.
"""
