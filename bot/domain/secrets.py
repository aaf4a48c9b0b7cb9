"""Find secrets in text, hide them, and name the files that are never read (R-SEC-3; FACTS, "Sandbox and git").

Patterns are in the style of gitleaks: a provider's own prefix first, then assignments of what looks random.
Every quantifier is bounded, and no two that can match the same text follow one another: time is linear.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from bot.domain.paths import matches
from bot.domain.task import Frozen

MIN_KNOWN = 6  # characters; a shorter configured value is too common to be searched for
CONFIGURED = "configured value"
PASSWORD = "password"  # assigned, readable: may be a fixture in a test
URL_PASSWORD = "password in a URL"
RANDOM_KEY = "assigned key"  # assigned, random-looking


class Secret(Frozen):
    """One secret found. `line` counts from 1; the preview does not give it away."""

    kind: str
    line: int
    preview: str


class _Span(NamedTuple):
    start: int
    end: int
    kind: str


class _Pattern(NamedTuple):
    """`regex` is tried only where one of the `words` (lower case) occurs; group 1, if any, is the secret."""

    kind: str
    words: tuple[str, ...]
    regex: re.Pattern[str]


def _pattern(kind: str, words: str, regex: str) -> _Pattern:
    return _Pattern(kind, tuple(words.split()), re.compile(regex))


#: One row per provider. None starts in the middle of a word (checked in `_provider_spans`).
_PROVIDERS = (
    _pattern("AWS access key", "akia asia abia acca", r"A(?:KI|SI|BI|CC)A[A-Z2-7]{16}(?![A-Za-z0-9])"),
    _pattern(
        "AWS secret key",
        "aws",
        r"(?i:aws)[\w-]{0,30}[\"']?\s{0,5}[=:]\s{0,5}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    _pattern("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _pattern("GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9_]{50,255}"),
    _pattern("GitLab token", "gl", r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent)-[\w-]{20,255}"),
    _pattern("Slack token", "xox", r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,255}"),
    _pattern("Slack token", "xapp-", r"xapp-\d-[A-Za-z0-9-]{10,255}"),
    _pattern(
        "Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{20,255})",
    ),
    _pattern("Anthropic key", "sk-ant-", r"sk-ant-[a-z0-9]{2,10}-[\w-]{20,255}"),
    _pattern("OpenAI key", "sk-", r"sk-(?:(?:proj|svcacct|admin)-[\w-]{20,255}|(?:or-v1-)?[A-Za-z0-9]{40,255})"),
    _pattern("Google API key", "aiza", r"AIza[\w-]{35}(?![\w-])"),
    _pattern("Google OAuth secret", "gocspx- ya29.", r"(?:GOCSPX-[\w-]{28}|ya29\.[\w-]{30,255})"),
    _pattern("Stripe key", "_live_ _test_", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _pattern("Stripe webhook secret", "whsec_", r"whsec_[A-Za-z0-9+/]{24,255}"),
    _pattern("npm token", "npm_", r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _pattern("npm token", "_authtoken", r"_authToken\s?=\s?([\w.-]{20,255})"),
    _pattern("PyPI token", "pypi-age", r"pypi-AgE[\w-]{50,255}"),
    _pattern("Twilio key", "sk", r"SK[0-9a-f]{32}(?![0-9A-Za-z])"),
    _pattern("SendGrid key", "sg.", r"SG\.[\w-]{16,32}\.[\w-]{16,64}"),
    _pattern("Azure key", "accountkey= sharedaccesskey=", r"(?:Account|SharedAccess)Key=([A-Za-z0-9+/]{43,86}==?)"),
    _pattern("Azure secret", "8q~", r"[\w.~]{3}8Q~[\w.~-]{31,34}"),
    _pattern("Telegram token", ":aa", r"(?:bot)?(\d{8,10}:AA[\w-]{33})(?![\w-])"),
    _pattern("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])"),
    _pattern("DigitalOcean token", "_v1_", r"do[opr]_v1_[a-f0-9]{64}"),
    _pattern("Shopify token", "shp", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _pattern("Vault token", "hvs.", r"hvs\.[\w-]{24,255}"),
    _pattern(
        "JWT",
        "eyj",
        r"(?<![\w-])eyJ[\w-]{10,2000}\.eyJ(?!zdWIiOiIxMjM0NTY3ODkw)[\w-]{10,4000}\.[\w-]{10,1000}",
    ),
    _pattern(
        "private key",
        "private key",
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^-]|-(?!----)){60,20000}(?:-----END [A-Z0-9 ]{1,60}-----)?",
    ),
    _pattern(
        "authorization header",
        "authorization",
        r"(?i:authorization)[\"']?\s{0,3}[:=]\s{0,3}[\"'`]?(?i:basic|bearer|token) {1,3}([\w.~+/=-]{16,2000})",
    ),
    _pattern(URL_PASSWORD, "://", r"://[^\s:/@\"'`<>]{0,80}:([^\s/@\"'`<>]{3,120})@[\w.\[-]"),
)
#: An assignment: a telling name, a sign, a quoted value (or, for NAMES_LIKE_THIS, a bare one).
_ASSIGNMENT = re.compile(
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|(?:api|access|auth|private|encryption|signing)[_-]?key)"
    r"[\w-]{0,30}[\"']?\]?[ \t]{0,20}(?:=>|[:=]=?)[ \t]{0,20}"
    r"(?:[\"'`]([^\"'`\s]{8,200})[\"'`]|([\w+/=.~!@#%^&*-]{16,200})[ \t]{0,20}(?:\r?\n|\Z))",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"example|placeholder|change.?me|replace|your|x{4}|\*{3}|\.{3}|dummy|fake|sample|redacted|secret:|insert|todo|"
    r"[<{(]|\$[A-Za-z_]|%s|process\.env|environ|_here$|12345678|abcdefgh|^(?:https?|file|data|urn):|^[/.]",
    re.IGNORECASE,
)
_COMMON = re.compile(
    r"postgres|password|passwd|pass|root|admin|user|secret|test|guest|mysql|redis|rabbitmq", re.IGNORECASE
)
_CLASSES = tuple(map(re.compile, (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")))

_SECRET_FILES = (
    *(".env*", "*.env"),
    *("*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "master.key", "kubeconfig"),
    *("credentials.json", "client_secret*.json", "service-account*.json", "service_account*.json"),
    *(".netrc", ".pypirc", ".pgpass", ".git-credentials", ".htpasswd", ".dockercfg", ".vault-token"),
    *("**/.aws/**", "**/.ssh/**", "**/.gnupg/**", "**/.docker/config.json", "**/.kube/config"),
    *("*.tfstate", "*.tfstate.backup", "*.auto.tfvars", "terraform.tfvars"),
)
_EXAMPLE_FILES = ("*.example", "*.sample", "*.template", "*.dist", ".env[-_]example", ".env[-_]sample")


@lru_cache(maxsize=65_536)
def is_secret_file(path: str) -> bool:
    """Whether a file may hold secrets, by its name; such files are never read into a prompt."""
    return matches(path, _SECRET_FILES) is not None and matches(path, _EXAMPLE_FILES) is None


def find_secrets(text: str, known: Iterable[str] = ()) -> tuple[Secret, ...]:
    """Every secret in the text, in order: the providers' forms, assignments, and the known values."""
    found: list[Secret] = []
    line, at = 1, 0
    for start, end, kind in _merged([*_known_spans(text, _variants(known)), *_spans(text)]):
        line, at = line + text.count("\n", at, start), start
        found.append(Secret(kind=kind, line=line, preview=_preview(text[start:end])))
    return tuple(found)


class Redactor:
    """Replaces secrets by `[secret: kind]`. Known values are replaced whatever they look like, also as they
    stand in JSON and in URLs; those shorter than MIN_KNOWN characters are not searched for."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = _variants(known)

    def __call__(self, text: str) -> str:
        pieces: list[str] = []
        at = 0
        for start, end, kind in _merged([*_known_spans(text, self._known), *_spans(text)]):
            pieces += text[at:start], f"[secret: {kind}]"
            at = end
        return "".join([*pieces, text[at:]])


def _variants(known: Iterable[str]) -> tuple[str, ...]:
    forms = {
        form
        for value in (value.strip() for value in known)
        for form in (value, quote(value, safe="", errors="replace"), json.dumps(value)[1:-1])
        if len(value) >= MIN_KNOWN
    }
    return tuple(sorted(forms))


def _known_spans(text: str, known: tuple[str, ...]) -> Iterator[_Span]:
    for value in known:
        at = text.find(value)
        while at >= 0:
            yield _Span(at, at + len(value), CONFIGURED)
            at = text.find(value, at + 1)


def _spans(text: str) -> Iterator[_Span]:
    lowered = text.lower()
    for pattern in _PROVIDERS:
        if any(word in lowered for word in pattern.words):
            yield from _provider_spans(pattern, text)
    for match in _ASSIGNMENT.finditer(text):
        group = 1 if match[1] is not None else 2
        bare_name = group == 2 and not match[0][:4].isupper()
        if not bare_name and (kind := _assigned_kind(match[group])):
            yield _Span(*match.span(group), kind)


def _provider_spans(pattern: _Pattern, text: str) -> Iterator[_Span]:
    for match in pattern.regex.finditer(text):
        value = match[match.lastindex or 0]
        inside_word = match.start() > 0 and match[0][0].isalnum() and text[match.start() - 1].isalnum()
        if not inside_word and _is_real(pattern.kind, value):
            yield _Span(*match.span(match.lastindex or 0), pattern.kind)


def _is_real(kind: str, value: str) -> bool:
    """Leaves out placeholders: examples of documentation, runs of x, a user's name as its password."""
    if kind == "private key":
        return re.search(r"[A-Za-z0-9+/=]{40}", value) is not None
    if kind == URL_PASSWORD:
        return _PLACEHOLDER.search(value) is None and not _COMMON.fullmatch(value) and _entropy(value) >= 2.5
    if kind == "authorization header" and not any(c.isdigit() for c in value):
        return False
    return _entropy(value) >= 2.8 and re.search(r"(?i)example|x{6}|placeholder", value) is None


def _assigned_kind(value: str) -> str | None:
    """What an assigned value looks like: a random key, a password, or (None) no secret."""
    if _PLACEHOLDER.search(value) or not any(c.isdigit() for c in value) or not any(c.isalpha() for c in value):
        return None
    entropy = _entropy(value)
    if len(value) >= 20 and entropy >= (3.0 if re.fullmatch(r"[0-9a-fA-F]+", value) else 3.7):
        return RANDOM_KEY
    is_name = re.fullmatch(r"[A-Za-z_]+\d{0,2}", value)
    classes = sum(1 for kind in _CLASSES if kind.search(value))
    return PASSWORD if classes >= 3 and entropy >= 2.7 and not is_name else None


def _entropy(value: str) -> float:
    """Shannon entropy, bits per character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def _merged(spans: list[_Span]) -> list[_Span]:
    """In order, without overlap: what overlaps becomes one span of the first one's kind."""
    merged: list[_Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if merged and span.start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return merged


def _preview(value: str) -> str:
    return f"{value[:4]}…{value[-2:]}" if len(value) >= 16 else f"{value[:1]}…"
