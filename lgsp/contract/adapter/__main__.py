"""`python -m lgsp.contract.adapter FOLDER CONTRACTS`: what `lgsp check` finds, as JSON, from a process that loads little and may die."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from lgsp.contract.adapter.check import check_adapter

if __name__ == "__main__":
    found = check_adapter(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write(json.dumps([asdict(finding) for finding in found]))
