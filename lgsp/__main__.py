"""`python -m lgsp` is the same as `lgsp`."""

from lgsp.cli import app

app()
