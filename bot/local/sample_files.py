"""The texts of the sample repository, and of what the example tasks add to it."""

from __future__ import annotations

README = """\
# granter-sample

A tiny grants ledger, to try Orch on. Python 3, no dependencies.

    python3 -m granter instalments 100000 12
    sh check.sh
"""

CHECK = """\
#!/bin/sh
# Runs the tests. Without python3, only looks at what a shell can see, and says so.
set -eu
if command -v python3 >/dev/null 2>&1; then
    exec python3 -B -m unittest discover -q -s tests -t .
fi
echo "python3 not found: the tests were not run, only the files were looked at"
for file in README.md granter/__main__.py granter/instalments.py granter/auth.py; do
    test -s "$file" || { echo "$file is missing or empty"; exit 1; }
done
"""

MAIN = '''\
"""The command line: `python3 -m granter instalments CENTS MONTHS`."""

import sys

from granter.instalments import instalments


def main(arguments):
    if len(arguments) != 3 or arguments[0] != "instalments":
        print("usage: python3 -m granter instalments CENTS MONTHS")
        return 2
    for month, cents in enumerate(instalments(int(arguments[1]), int(arguments[2])), start=1):
        print(f"{month:>3}  {cents / 100:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''

INSTALMENTS = '''\
"""Paying a grant out month by month."""


def instalments(total_cents, months):
    """The cents to pay out in each month."""
    if months < 1:
        raise ValueError("a grant is paid out over at least one month")
    return [total_cents // months] * months
'''

AUTH_BEFORE = """\
    if expected != given:
        return None
    return name
"""

AUTH_AFTER = """\
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return None
    if not expires.isdigit() or int(expires) <= (time.time() if now is None else now):
        return None
    return name
"""

AUTH = f'''\
"""Signed tokens: `name.expires.signature`, where expires is in seconds since 1970."""

import hashlib
import hmac


def sign(name, expires, key):
    """A token for `name`."""
    return f"{{name}}.{{expires}}.{{_signature(name, expires, key)}}"


def holder(token, key, now=None):
    """The name in a valid token, else None."""
    try:
        name, expires, given = token.rsplit(".", 2)
    except ValueError:
        return None
    expected = _signature(name, expires, key)
{AUTH_BEFORE}

def _signature(name, expires, key):
    return hmac.new(key, f"{{name}}.{{expires}}".encode(), hashlib.sha256).hexdigest()
'''

TEST_INSTALMENTS = """\
import unittest

from granter.instalments import instalments


class InstalmentsTest(unittest.TestCase):
    def test_even_split(self):
        self.assertEqual(instalments(1200, 12), [100] * 12)

    def test_no_months(self):
        with self.assertRaises(ValueError):
            instalments(1200, 0)


if __name__ == "__main__":
    unittest.main()
"""

INSTALMENT_TESTS = """

class LeftOverCentsTest(unittest.TestCase):
    def test_nothing_is_lost(self):
        for total in (0, 1, 99, 100, 1001):
            for months in (1, 3, 7, 12):
                self.assertEqual(sum(instalments(total, months)), total)

    def test_first_instalments_get_one_each(self):
        self.assertEqual(instalments(101, 3), [34, 34, 33])
"""

TEST_AUTH = """\
import unittest

from granter.auth import holder, sign

KEY = b"only for tests"


class AuthTest(unittest.TestCase):
    def test_holder_of_a_good_token(self):
        self.assertEqual(holder(sign("ana", 2000, KEY), KEY, now=1000), "ana")

    def test_changed_token(self):
        self.assertIsNone(holder(sign("ana", 2000, KEY).replace("ana", "eve"), KEY, now=1000))

    def test_no_token(self):
        self.assertIsNone(holder("", KEY, now=1000))


if __name__ == "__main__":
    unittest.main()
"""

AUTH_TESTS = """

class ExpiryTest(unittest.TestCase):
    def test_expired_token(self):
        self.assertIsNone(holder(sign("ana", 2000, KEY), KEY, now=2000))

    def test_expiry_that_is_no_number(self):
        self.assertIsNone(holder(sign("ana", "never", KEY), KEY, now=1000))
"""

USAGE = """\
# Usage

## instalments

Show how a grant is paid out month by month. Amounts are in cents.

    python3 -m granter instalments CENTS MONTHS

For example, 1,200.00 over three months:

    $ python3 -m granter instalments 120000 3
      1  400.00
      2  400.00
      3  400.00

## Exit status

0 when the instalments were shown, 2 when the command was not understood.
"""

FILES = {
    "README.md": README,
    "check.sh": CHECK,
    ".gitignore": "__pycache__/\n",
    "docs/index.md": "# granter-sample\n\nWhat it does is in the README.\n",
    "granter/__init__.py": '"""A tiny grants ledger."""\n',
    "granter/__main__.py": MAIN,
    "granter/instalments.py": INSTALMENTS,
    "granter/auth.py": AUTH,
    "tests/__init__.py": "",
    "tests/test_instalments.py": TEST_INSTALMENTS,
    "tests/test_auth.py": TEST_AUTH,
}
