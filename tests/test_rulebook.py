"""Every rule of the rulebook is cited by a test, or stands on the list of what is still to come."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
#: The rulebook's ids. R-MET has no numbers.
RULES = {
    *(f"R-RT-{n}" for n in range(1, 8)),
    *(f"R-ESC-{n}" for n in range(1, 9)),
    *(f"R-PAR-{n}" for n in range(1, 6)),
    *(f"R-BUD-{n}" for n in range(1, 7)),
    *(f"R-SEC-{n}" for n in range(1, 6)),
    *(f"R-APR-{n}" for n in range(1, 4)),
    *(f"R-DAY-{n}" for n in range(1, 6)),
    *(f"R-MSG-{n}" for n in range(1, 7)),
    *(f"R-REP-{n}" for n in range(1, 4)),
    "R-MET",
}
#: Not built yet, so no test may claim to show it. Take an id out when its test is there.
TO_COME: set[str] = set()


def test_every_rule_is_cited_by_a_test() -> None:
    cited: set[str] = set()
    for path in TESTS.rglob("*.py"):
        if path != Path(__file__):
            cited.update(re.findall(r"R-(?:RT|ESC|PAR|BUD|SEC|APR|DAY|MSG|REP)-\d+|R-MET", path.read_text("utf-8")))
    assert cited <= RULES, f"no such rules: {sorted(cited - RULES)}"
    missing = RULES - cited
    assert missing == TO_COME, f"missing: {sorted(missing - TO_COME)}; there by now: {sorted(TO_COME - missing)}"
