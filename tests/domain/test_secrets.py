"""R-SEC-3: secrets are found, hidden and never read. Samples are put together here from parts drawn at random
with a fixed seed, so that no scanner takes this file for a leak."""

from __future__ import annotations

import json
import random
import string
import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.secrets import PASSWORD, RANDOM_KEY, Redactor, find_secrets, is_secret_file

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
draw = random.Random(7)


def some(count: int, alphabet: str = ALNUM) -> str:
    return "".join(draw.choices(alphabet, k=count))


def pem(kind: str) -> str:
    body = "\n".join(some(64) for _ in range(12))
    return f"-----BEGIN {kind}PRIVATE " + f"KEY-----\n{body}\n-----END {kind}PRIVATE " + "KEY-----"


JWT = "ey" + "J" + some(30) + ".ey" + "J" + some(60) + "." + some(43)
#: kind, text around (`@` stands for the secret), secret
SAMPLES = [
    ("AWS access key", "id = @", "AK" + "IA" + some(16, "ABCDEFGHIJKLMNOP234567")),
    ("AWS secret key", "aws_secret_access_key = @", some(40, ALNUM + "/+")),
    ("GitHub token", "token: @", "gh" + "p_" + some(36)),
    ("GitHub token", "git clone https://x-access-token:@@github.com/a/b", "gh" + "s_" + some(36)),
    ("GitHub token", "'@'", "github" + "_pat_" + some(22) + "_" + some(59)),
    ("GitLab token", "GITLAB=@", "gl" + "pat-" + some(20)),
    ("Slack token", "SLACK_BOT_TOKEN=@", "xo" + "xb-" + some(12, string.digits) + "-" + some(24)),
    (
        "Slack token",
        '"@"',
        "xa" + "pp-1-A" + some(10, HEX.upper()) + "-" + some(13, "0123456789") + "-" + some(64, HEX),
    ),
    ("Slack webhook", "https://hooks.slack.com/services/@", "T" + some(9) + "/B" + some(9) + "/" + some(24)),
    ("Anthropic key", "export KEY=@", "sk-" + "ant-api03-" + some(93, ALNUM + "-_") + "AA"),
    ("OpenAI key", "openai.api_key = '@'", "sk-" + "proj-" + some(120)),
    ("OpenAI key", "(@)", "sk-" + some(48)),
    ("Google API key", "key=@&x", "AI" + "za" + some(35)),
    ("Google OAuth secret", "@", "GOC" + "SPX-" + some(28)),
    ("Stripe key", "Stripe('@')", "sk_" + "live_" + some(24)),
    ("Stripe key", "Stripe('@')", "rk_" + "test_" + some(99)),
    ("Stripe webhook secret", "@", "wh" + "sec_" + some(32)),
    ("npm token", "@", "np" + "m_" + some(36)),
    ("npm token", "//npm.example.org/:_authToken=@", some(36, HEX)),
    ("PyPI token", "password = @", "py" + "pi-AgEIcHlwaS5vcmc" + some(120)),
    ("Twilio key", "@", "S" + "K" + some(32, HEX)),
    ("SendGrid key", "@", "S" + "G." + some(22) + "." + some(43)),
    ("Azure key", "AccountName=x;AccountKey=@;E=1", some(86) + "=="),
    ("Azure key", "SharedAccessKeyName=x;SharedAccessKey=@", some(43) + "="),
    ("Azure secret", "@", some(3) + "8" + "Q~" + some(34)),
    ("Telegram token", "bot@/send", some(9, "123456789") + ":A" + "A" + some(33)),
    ("Hugging Face token", "@", "h" + "f_" + some(34)),
    ("DigitalOcean token", "@", "do" + "p_v1_" + some(64, HEX)),
    ("Shopify token", "@", "shp" + "at_" + some(32, HEX)),
    ("Vault token", "@", "hv" + "s." + some(90)),
    ("JWT", "Cookie: s=@;", JWT),
    ("private key", "key = '''@'''", pem("RSA ")),
    ("private key", "@", pem("")),
    ("private key", "@", pem("OPENSSH ")),
    ("private key", '{"private_key": "@"}', pem("").replace("\n", "\\n")),
    ("private key", "@", pem("EC ")[:500]),  # cut off
    ("authorization header", "curl -H 'Authorization: Bearer @'", some(40)),
    ("password in a URL", "postgres" + "ql://app:@@db.internal:5432/x", some(16)),
    ("password in a URL", "mongodb+srv" + "://root:@@c0.mongodb.net", "h4" + "rderThan!"),
    (RANDOM_KEY, "const API_" + "KEY = '@';", some(32, HEX)),
    (RANDOM_KEY, '"client_' + 'secret": "@"', some(40)),
    (RANDOM_KEY, "JWT_" + "SECRET=@\n", some(43)),
    (PASSWORD, "pass" + 'word = "@"', "Tr0ub4" + "dor&3x"),
    (PASSWORD, "db['pass" + "word'] = '@'", "s3cr" + "et-Zebra-91"),
]


@pytest.mark.parametrize(("kind", "around", "secret"), SAMPLES)
def test_a_secret_is_found_and_hidden(kind: str, around: str, secret: str) -> None:
    text = "first line\n" + around.replace("@", secret, 1) + "\nlast line"
    found = find_secrets(text)
    assert [(s.kind, s.line) for s in found] == [(kind, 2)]
    assert secret not in found[0].preview
    assert len(found[0].preview) <= 7
    hidden = Redactor()(text)
    assert secret not in hidden
    assert f"[secret: {kind}]" in hidden
    assert hidden.startswith("first line\n")
    assert Redactor()(hidden) == hidden


HARMLESS = [
    'password = "changeme"',
    'password = "password"',
    'API_KEY = "your-api-key-here-123456"',
    "api_key = os.environ['API_KEY_2']",
    'token: "${{ secrets.GITHUB_TOKEN_2 }}"',
    "const token = process.env.TOKEN1234;",
    "password: '<your password 1>'",
    'placeholder="Enter your password 2"',
    "getToken(user1, request.headers)",
    "password = await bcrypt.hash(dto.password, 10)",
    'ANTHROPIC_API_KEY="sk-ant-api03-' + "x" * 40 + '"',
    "aws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE",
    "postgres://postgres:postgres@localhost:5432/app",
    "postgres://user:${DB_PASSWORD}@db/app",
    "https://example.com:8080/@scope/name",
    "Authorization: Bearer <token>",
    "Authorization: Bearer ${accessToken}",
    'if "-----BEGIN PRIVATE ' + 'KEY-----" in text: refuse()',
    "task-force disk-usage risk-assessment-of-something-really-long-without-digits-at-all-in-it",
    "integrity sha512-" + some(86) + "==",
    "commit " + some(40, HEX),
    "e3b0c442" + some(56, HEX) + "  file.tar.gz",
    "passwordField: 'passwordInput2'",
    "secretName: my-app-tls-2",
    "token_type = 'Bearer'",
    "token_budget_daily: 30000",
    "ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6Ikpvb" + ".SflKxwRJSMeKKF2QT4",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert find_secrets(text) == ()
    assert Redactor()(text) == text


def test_known_values_are_hidden_in_every_form_they_take() -> None:
    known = 'p@ss/w"rd'
    text = f"{known} https://u:{quote(known, safe='')}@h {json.dumps({'k': known})}"
    hidden = Redactor([known])(text)
    assert hidden.count("[secret: configured value]") == 3
    assert [s.kind for s in find_secrets(known, [known])] == ["configured value"]


def test_overlapping_known_values_leave_no_rest() -> None:
    assert Redactor(["abcdefgh", "efghijkl"])("-abcdefghijkl-") == "-[secret: configured value]-"


def test_a_value_too_short_to_search_for_changes_nothing() -> None:
    assert Redactor(["a", ""])("a banana") == "a banana"


values = st.text(alphabet=ALNUM + '-_/+=!@#%\\"é', min_size=6, max_size=40)


@settings(deadline=None)
@given(st.lists(values, min_size=1, max_size=4), st.lists(st.text(max_size=20), max_size=5), st.randoms())
def test_no_known_value_is_ever_left(known: list[str], noise: list[str], rnd: random.Random) -> None:
    pieces = [*known, *known, *noise]
    rnd.shuffle(pieces)
    hidden = Redactor(known)("".join(pieces)).replace("[secret: configured value]", "\n")
    assert not any(value in hidden for value in known)


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_scanned(text: str) -> None:
    find_secrets(text)
    Redactor()(text)


HOSTILE = [
    "ey" + "J", "eyJ" + "a" * 11 + ".", "-----BEGIN PRIVATE " + "KEY-----\n", "xo" + "xb-", "sk-" + "ant-a-", "://a:",
    "password", "password =", "password='a", "aws", "aws_" + "_" * 30 + "=", "authorization: bearer ",
    "hooks.slack.com/services/",
    "1234567890:A" + "A", "SG.", "token = \t", "a8Q~", "://" + "a" * 80 + ":" + "b" * 120, "=", "-", "a", "\n", "\r\n",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_is_scanned_in_linear_time(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        started = time.process_time()
        find_secrets(text)
        return time.process_time() - started

    assert seconds(100_000) < 0.5


FILES = [
    (".env", True), ("app/.env.local", True), (".ENV.production", True), ("prod.env", True), (".envrc", True),
    ("certs/server.pem", True), ("id_rsa", True), ("deploy/id_ed25519", True), ("a.p12", True),
    ("config/master.key", True),
    ("gcp/credentials.json", True), ("service-account-prod.json", True),
    (".aws/credentials", True), ("infra/x.tfstate", True),
    (".env.example", False), ("app/.env.sample", False), (".env.template", False),
    (".env.prod.example", False), ("id_rsa.pub", False),
    ("src/environment.ts", False), ("src/keys.py", False), ("package.json", False), ("env/settings.py", False),
]  # fmt: skip


@pytest.mark.parametrize(("path", "secret"), FILES)
def test_files_that_are_never_read(path: str, secret: bool) -> None:
    assert is_secret_file(path) is secret
