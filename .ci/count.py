"""Say honestly how many tests passed, failed and were skipped, the newcomer's among them."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

report, newcomer = Path(sys.argv[1]), int(sys.argv[2])
passed, failed, skipped = 0, 0, 0
if report.exists():
    for suite in ET.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
        failed += bad
        passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
else:
    failed += 1
passed, failed = (passed + 1, failed) if newcomer == 0 else (passed, failed + 1)
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
