"""From mapping.yaml to compiled functions, and the proof that they fit both schemas.

A mapping is data: paths, constants, defaults, `each`, `when`, `first`, dated code tables, dates, text normalisation, conversions and named
pure hooks. `source` reads the file with its lines, `rules` its meaning, `compile` makes closures of it, `proof` holds it against schemas.

A compiled mapping is called with a scope: {"value", "message", "purpose", "param", "uses", "request", "known", "now"}; `value` is the
canonical request (or, for a reply, the native reply), `now` POSIX seconds. It gives the other form or raises MappingError with every
violation at once. None means absent on the way; what is absent leaves no key and no empty parent behind.
"""
