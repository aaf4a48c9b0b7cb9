"""The security floor's words and paths as data (R-SEC-1): what is critical, and what only sounds so."""

from __future__ import annotations

#: Words that make a task security-critical wherever they stand, by theme. Compared without case.
WORDS: tuple[tuple[str, str], ...] = (
    (
        "authentication",
        r"auth|auth[nz]|auth0|cognito|keycloak|okta|clerk|next-?auth|passport(?:\.?js)?|single sign[- ]on|"
        r"user registration|oauth\w*|authenticat\w*|unauthenticated|log(?:ging)?[- ]?in|log(?:ging)?[- ]?out|logon|"
        r"logged[- ]out|ntlm|"
        r"sign(?:ing)?[- ]?(?:in|out|up)|signed[- ]in|sso|ldap|kerberos|bearer|basic[- ]auth\w*|"
        r"impersonat\w*|identity provider|idp|account (?:takeover|linking|recovery)|magic link|reauth\w*|authority|"
        r"self-service (?:flow|recovery|registration)\w*|identifier[- ]first|userinfo|workload identity|wif|pats?|"
        r"pin (?:code|check)s?|backup codes?|(?:un)?verif\w* (?:the )?e-?mails?|e-?mail verification|introspection",
    ),
    (
        "authorisation",
        r"authori[sz]\w*|unauthori[sz]ed|permissions?|privileged?s?|rbac|abac|acls?|access[- ]controls?|"
        r"access[- ]polic(?:y|ies)|access (?:check|rule|right)s?|roles?|scopes? (?:check|claim)s?|forbidden|"
        r"grant(?:s|ed|ing)? (?:[\w-]+ ){0,2}(?:access|rights?|types?)|"  # a grant alone may be money
        r"(?:\w+_|(?:code|credentials?|device|implicit|trust|user) )grants?|"
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
    r"by author|(?:type|null|feature|version|include|header) guards?|certification|cookie ?cutter|cookie banner|"
    r"secret santa|salt lake|security\.md"
)
#: Paths whose files are security-critical whatever the text says. Patterns as in bot.domain.paths. What CI runs is not
#: among them: writing it is configuration, haiku's work (R-RT-1), unless its words or its file's name speak of secrets,
#: permissions, tokens and the like. The gate still makes every change of it a security task (two approvals, R-APR).
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
    *(
        "**/*crypt*",
        "**/*cipher*",
        "**/*hmac*",
        "**/*signature*",
        "**/*cert",
        "**/*cert[!i]*",
        "**/*certificate*",
        "**/tls/**",
        "**/*tls.*",
        "**/ssl/**",
    ),
    *("**/*password*", "**/*credential*", "**/*secret*", "**/*vault*", "**/kms/**", "**/*keystore*"),
    *(
        "**/*session*",
        "**/*cookie*",
        "**/*csrf*",
        "**/*xss*",
        "**/*cors*",
        "**/*csp",
        "**/*csp[!e]*",
        "**/*sanitiz*",
        "**/*sanitis*",
    ),
    *("**/*permission*", "**/*rbac*", "**/acl/**", "**/*acl.*", "**/*authoriz*", "**/*access-control*", "**/*guard*"),
    *("**/*mfa*", "**/*2fa*", "**/*totp*", "**/*webauthn*", "**/*passkey*", "**/*captcha*"),
    *("**/*rate-limit*", "**/*rate_limit*", "**/*ratelimit*", "**/*throttl*", "**/security/**", "**/*security*"),
    *("**/middleware/auth*", "**/CODEOWNERS", "**/*policy*/**"),
)
