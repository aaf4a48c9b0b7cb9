"""Is a task security-critical? The floor under every route (R-SEC-1): no flag, fallback or budget lowers it.

Words and paths speak for it; only clear evidence that nothing but documentation, wording or tests changes
speaks against it. Where the two disagree, the task is security-critical.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from bot.domain.file_kinds import FileKind, kind_of
from bot.domain.paths import matches

#: Words that make a task security-critical wherever they stand, by theme. Compared without case.
WORDS: tuple[tuple[str, str], ...] = (
    (
        "authentication",
        r"auth|auth[nz]|auth0|cognito|keycloak|okta|clerk|next-?auth|passport(?:\.?js)?|single sign[- ]on|"
        r"user registration|oauth\w*|authenticat\w*|unauthenticated|log(?:ging)?[- ]?in|log(?:ging)?[- ]?out|logon|"
        r"sign(?:ing)?[- ]?(?:in|out|up)|signed[- ]in|sso|ldap|kerberos|bearer|basic[- ]auth\w*|"
        r"impersonat\w*|identity provider|idp|account (?:takeover|linking|recovery)|magic link|reauth\w*|authority|"
        r"self-service (?:flow|recovery|registration)\w*|identifier[- ]first|userinfo|workload identity|wif|pats?|"
        r"pin (?:code|check)s?|backup codes?|(?:un)?verif\w* (?:the )?e-?mails?|e-?mail verification|introspection",
    ),
    (
        "authorisation",
        r"authori[sz]\w*|unauthori[sz]ed|permissions?|privileges?|rbac|abac|acls?|access[- ]controls?|"
        r"access[- ]polic(?:y|ies)|access (?:check|rule|right)s?|roles?|grants?|scopes? (?:check|claim)s?|forbidden|"
        r"multi-?tenan\w*|tenant isolation|ownership check|least privilege|entitlements?|admin[- ]only|"
        r"(?:restrict|limit|deny|gate)\w* (?:[\w-]+ ){0,2}access|"
        r"consents?|(?:admin|super)[- ]?users?|admin access|non-admin\w*|"
        r"guards?(?! (?:against|clauses?))|enforc\w+ (?:[\w-]+ ){0,2}(?:access|scop\w+|polic\w+)",
    ),
    ("passwords", r"passwords?|passwd|passphrases?|passwordless|credentials?|bcrypt\w*|argon2\w*|scrypt|pbkdf2|hibp"),
    (
        "tokens",
        r"jwts?|jsonwebtoken|jw[kset]s?|jwks|dpop|pkce|nonces?|refresh[- ]tokens?|access[- ]tokens?|id[-_ ]tokens?|"
        r"(?:api|private|public|secret|signing|shared|encryption|session|host|master) ?keys?|api[-_]keys?|"
        r"tokens?|token introspection|revo(?:ke\w*|cation)|claims?|key[- ]?(?:rotation|store|ring)s?",
    ),
    ("sessions", r"sessions?|cookies?|same-?site|http-?only|remember[- ]me|session fixation"),
    ("federation", r"oidc|openid\w*|saml\w*|scim|ciba|fapi|par endpoint|pushed authorization|redirect[-_ ]?uris?"),
    (
        "cryptography",
        r"crypto\w*|encrypt\w*|decrypt\w*|cipher\w*|hmac|aes\w*|rsa\w*|ecdsa|ecdh\w*|ed25519|eddsa|x25519|okp|x509|"
        r"sha-?\d+|md5|(?:password|secure) ?hash\w*|salts?|signatures?|code[- ]?sign\w*|signing|countersign\w*|"
        r"sign(?:ed|s)? (?:url|request|payload|message|webhook|commit|cookie)s?|certificates?|certs?|m?tls|ssl|"
        r"https only|hsts|kms|hsm|secure random|csprng|keypairs?|thumbprints?|pkcs\w*|pem|spki|asn\.?1|"
        r"key (?:agreement|wrap\w*|derivation|management)|tpm|fips",
    ),
    (
        "secrets",
        r"secrets?|vault|sensitive|redact\w*|(?:leak|expos)(?:s|es|ed|ing)? (?:[\w-]+ ){0,2}(?:data|keys?|pii|ips?)|"
        r"hide (?:[\w-]+ ){0,2}(?:keys?|values?)|pii|pci|gdpr|scrub\w*|\.env(?!\.example|\.sample|\.template)",
    ),
    (
        "web attacks",
        r"csrf|xsrf|xss|ssrf|xxe|rce|cross-site|injections?|sql ?i|saniti[sz]\w*|dompurify|csp|"
        r"content[- ]security[- ]policy|clickjack\w*|x-frame\w*|open redirects?|x-forwarded-\w+|"
        r"(?:internal|private) ips?|hijack\w*|path traversal|directory traversal|eval|firewalls?|"
        r"prototype[- ]pollution|deseriali[sz]ation of untrusted|untrusted|untrustworthy|zip[- ]?slip|redos|"
        r"escap(?:e|es|ed|ing) (?:user |raw )?(?:html|input|output|quotes?|strings?|shell)|html[- ]escap\w*|"
        r"inner ?html|v-html|same[- ]origin|cors|"
        r"allow(?:ed)?[- ]?(?:list|origin)\w*|block[- ]?list\w*|deny[- ]?list\w*|"
        r"arbitrary (?:code|file|command|method)\w*|"
        r"secure[- ]headers?|permissions-policy|context ?isolat\w*|(?:un)?sandbox\w*",
    ),
    (
        "input validation",
        r"validators?|input validation|validat\w* (?:of )?(?:user |untrusted |request |the )?"
        r"(?:[\w-]+ )?"
        r"(?:input|upload|payload|url|origin|host|header|redirect|signature|audience|issuer|email|sender)s?",
    ),
    (
        "second factor",
        r"2fa|mfa|(?:two|2|multi)[- ]factor|[th]otp|otp|one-time (?:code|password)s?|webauthn|passkeys?|"
        r"fido2?|second factor|aal\d?",
    ),
    (
        "abuse",
        r"rate[- ]?limit\w*|throttl\w*|brute[- ]?force|captchas?|recaptcha|turnstile|lock-?out|abus\w*|"
        r"denial of service|ddos|dos|bots? protection|spam",
    ),
    (
        "vulnerabilities",
        r"cve|cves|cve-\d[\d-]*|ghsa[-\w]*|cwe-\d+|vulnerab\w*|exploit\w*|security|insecure\w*|secure|securing|"
        r"hardening|harden\w*|attack\w*|malicious\w*|bypass\w*|privilege escalation|tamper\w*|spoof\w*|mitm|"
        r"timing[- ]safe|constant[- ]time|audit (?:log|trail)s?|0-?day|snyk|(?:npm|yarn|pnpm|cargo|pip) audit",
    ),
)
#: The same words where they mean something harmless. They are taken out before the search.
HARMLESS = (
    r"design tokens?|token (?:budget|count|usage|limit|cost|price)s?|(?:input|output|prompt|completion) tokens?|"
    r"css tokens?|lexer tokens?|tokens? per (?:second|day|minute)|(?:max|num)[-_ ]?tokens?|"
    r"(?:recording|debug|planning|test|coding|replay|tmux|terminal|chat) sessions?|session replays?|"
    r"code ?sandbox\w*|sandbox(?:ed)? example|aria roles?|role attribute|byrole|getbyrole|"
    r"(?:dependency|fault|constructor) injection|case[- ]?(?:in)?sensitive|copyright\w*|authored|"
    r"by author|cookie ?cutter|cookie banner|secret santa|salt lake"
)
#: Paths whose files are security-critical whatever the text says. Patterns as in bot.domain.paths.
PATHS: tuple[str, ...] = (
    *(
        "**/auth/**",
        "**/authn/**",
        "**/authz/**",
        "**/*auth[!o]*",
        "**/*auth",
        "**/*auth[!o]*/**",
        "**/*authoriz*/**",
        "**/*authoris*",
        "**/oauth*/**",
        "**/*oauth*",
    ),
    *("**/*login*", "**/*logout*", "**/*signin*", "**/*sign-in*", "**/*signup*", "**/*sso*/**", "**/*ldap*"),
    *(
        "**/*jwt*",
        "**/*jwk*",
        "**/*jws*",
        "**/*jwe*",
        "**/*jose*",
        "**/*token*",
        "**/*oidc*",
        "**/*openid*",
        "**/*saml*",
    ),
    *("**/*crypt*", "**/*cipher*", "**/*hmac*", "**/*signature*", "**/*cert*", "**/tls/**", "**/*tls.*", "**/ssl/**"),
    *("**/*password*", "**/*credential*", "**/*secret*", "**/*vault*", "**/kms/**", "**/*keystore*"),
    *("**/*session*", "**/*cookie*", "**/*csrf*", "**/*xss*", "**/*cors*", "**/*csp*", "**/*sanitiz*", "**/*sanitis*"),
    *("**/*permission*", "**/*rbac*", "**/acl/**", "**/*acl.*", "**/*authoriz*", "**/*access-control*", "**/*guard*"),
    *("**/*mfa*", "**/*2fa*", "**/*totp*", "**/*webauthn*", "**/*passkey*", "**/*captcha*"),
    *("**/*rate-limit*", "**/*rate_limit*", "**/*ratelimit*", "**/*throttl*", "**/security/**", "**/*security*"),
    *("**/middleware/auth*", ".github/workflows/**", ".gitlab-ci.yml", "**/CODEOWNERS", "**/*policy*/**"),
)
#: A text that plainly asks for documentation, wording or tests: its object must come before any "to", "for", "in"...
_DOC_THINGS = (
    r"(?:documentation|(?:(?:ts|js|type|api)[ -]?)?docs?|readme(?:\.md)?|docstrings?|changelogs?|changesets?|guides?|"
    r"tutorials?|faqs?|spelling|wording|examples? (?:for|of|to)|(?:code|inline) comments?|comments? (?:in|"
    r"of|about|on)|"
    r"(?:broken|dead|outdated) links?|diagrams?|how-?to|instructions|quick-?start|explanations?|best practices|"
    r"[\w/-]+\.(?:md|mdx|rst))"
)
_DOC_VERBS = (
    r"(?:add|updat|fix|improv|writ|extend|correct|clarif|remov|revis|rework|polish|mov|creat|expand|tweak|"
    r"link|includ|"
    r"enhanc)(?:e|y|s|es|ed|ies|ing)?"
)
_FEW = (
    r"(?:(?!(?:so|and|then|until|before|without|pass|passes|to|for|from|in|on|behind|when|if)\b)"
    r"[\w/.'`-]+ ){0,7}?"
)
_GOES_ON = r"(?=$|[\s,.:;)]+(?:about|for|on|of|to|in|with|how|that|and|using)\b|[.:;]?$)"
DOC_PHRASE = re.compile(
    r"(?:please )?(?:docs?: |(?:document|describ|explain|mention|clarif)(?:e|y|s|es|ies|ing)? "
    rf"|(?:(?:fix|correct|resolv)(?:e|es|s|ed|ing)? )?{_FEW}(?:typos?|misspell\w*)\b"
    rf"|{_DOC_VERBS} {_FEW}{_DOC_THINGS}{_GOES_ON}"
    rf"|{_DOC_VERBS} {_FEW}(?:notes?|sections?|explanations?) (?:about|on|regarding|for)\b"
    rf"|(?:add|updat)(?:e|s|es|ed|ing)? {_FEW}examples?{_GOES_ON}"
    rf"|(?!(?:allow|disable|enable|use|make|hide|let|set|get|run|serve|host|deploy|limit)){_FEW}"
    r"(?:documentation|docs|readme)[.]?$)",
    re.IGNORECASE,
)
TEST_PHRASE = re.compile(
    r"(?:please )?(?:(?:(?:add|writ|extend|improv|updat|creat|refactor|mock|unskip|deflak|stabili[sz]|port)"
    r"(?:e|es|s|ed|ing)?|(?:fix|fixup|resolve) flaky|more|missing) "
    rf"{_FEW})?(?:tests?|test cases?|test coverage|test suites?)(?: (?:for|of|on|in|around|covering|that)\b.*)?",
    re.IGNORECASE | re.DOTALL,
)
#: What makes such a phrase unclear: a second piece of work, or a consequence for the code.
_MORE_WORK = re.compile(
    r"(?:\band|\bthen|\balso|[,;+&.\n])\s+(?:also |then |please )*(?:implement|fix|add|change|refactor|"
    r"remove|enforce|"
    r"rotate|enable|disable|switch|replace|migrate|make|move|harden|validate|verify|encrypt|hash|store|allow|block|"
    r"reject|patch|use|drop|skip|stop|start|let)\b"
    r"|\b(?:implement|bypass|exploit|vulnerab|attack|leak|uncomment|comment(?:ed|ing)? out|"
    r"(?:which|that) (?:lets|breaks|allows|accepts|rejects|skips|causes|makes|disables))",
    re.IGNORECASE,
)
#: Verbs that ask for a change of code, at the start of a text.
_CODE_VERB = re.compile(
    r"(?:please )?(?:implement|enforce|encrypt|decrypt|hash|sign|validate|verify|rotate|revoke|harden|prevent|"
    r"block|reject|refactor|introduce|build|secure|protect|restrict|require|check|store|sanitize|sanitise|escape)\b",
    re.IGNORECASE,
)
_WORDS = tuple((theme, re.compile(rf"(?<!\w)(?:{words})(?![\w])", re.IGNORECASE)) for theme, words in WORDS)
_HARMLESS = re.compile(rf"(?<!\w)(?:{HARMLESS})(?!\w)", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")


class Assessment(NamedTuple):
    """The answer. `why` is the evidence in a few words; `mentions` = such words occur, critical or not."""

    critical: bool
    why: str
    mentions: bool


def assess(text: str, files: Iterable[str] = (), security_paths: Iterable[str] = ()) -> Assessment:
    """Judge a task by its text and its declared files. `security_paths` are the project's own patterns."""
    paths = tuple(files)
    word = _security_word(text)
    own = _covered(paths, tuple(security_paths))
    if own:
        return Assessment(True, f"the project guards {own}", True)
    kinds = {kind_of(path) for path in paths}
    wording = is_wording(text)
    only_docs = bool(kinds) and kinds <= {FileKind.DOCS}
    only_tests = bool(kinds) and kinds <= {FileKind.DOCS, FileKind.TEST}
    if (only_docs or only_tests) and (wording or not (word and _CODE_VERB.match(text.strip()))):
        return Assessment(False, "it changes documentation or tests only", bool(word))
    path = _covered(tuple(p for p in paths if kind_of(p) is not FileKind.DOCS), PATHS)
    if path:
        return Assessment(True, f"it touches {path}", True)
    if word and wording:
        return Assessment(False, "it only writes about such things", True)
    return Assessment(
        bool(word), f"it speaks of “{word}”" if word else "nothing security-critical is named", bool(word)
    )


def is_wording(text: str) -> bool:
    """Whether the text unmistakably asks for documentation, wording or tests, and for nothing besides."""
    plain = text.strip()
    phrase = DOC_PHRASE.match(plain) or TEST_PHRASE.fullmatch(plain)
    return bool(phrase) and not _MORE_WORK.search(plain)


def _security_word(text: str) -> str | None:
    """The first security-critical word, also inside a camelCase or snake_case name."""
    for form in (text, _CAMEL.sub(" ", text)):
        plain = _HARMLESS.sub(" ", form)
        for _, words in _WORDS:
            found = words.search(plain)
            if found:
                return found[0]
    return None


def _covered(paths: Iterable[str], patterns: tuple[str, ...]) -> str | None:
    return next((path for path in paths if matches(path, patterns)), None)
