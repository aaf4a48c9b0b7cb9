"""Which line of code works with authentication, authorisation or cryptography (R-SEC-1), whatever its file is called.

Libraries and calls that exist for nothing else, so that a line which merely names such things is left alone.
"""

from __future__ import annotations

import re

from bot.domain.file_kinds import FileKind, kind_of

_PYTHON = (
    r"jwt|jose|bcrypt|argon2|passlib|cryptography|nacl|hmac|secrets|ssl|Crypto|Cryptodome|authlib|oauthlib|itsdangerous|"
    r"pyotp|django\.contrib\.auth|flask_login|flask_jwt_extended|fastapi\.security|starlette\.authentication"
)
_NODE = (
    r"(?:node:)?crypto|(?:node:)?tls|bcrypt(?:js)?|argon2|jsonwebtoken|jose|jwks-rsa|passport(?:-[\w-]+)?|"
    r"@nestjs/(?:jwt|passport)|express-session|cookie-session|csurf|csrf|otplib|speakeasy|tweetnacl|"
    r"libsodium[\w-]*|crypto-js|node-forge|openid-client|next-auth(?:/[\w-]+)*|@auth/[\w-]+|@simplewebauthn/[\w-]+"
)
_GO = r"crypto/[\w/]+|golang\.org/x/(?:crypto|oauth2)[\w/]*|github\.com/(?:golang-jwt/jwt|gorilla/sessions)[\w/]*"
_JVM = r"javax\.crypto|java\.security|org\.springframework\.security|io\.jsonwebtoken|org\.bouncycastle"
_RUST = r"ring|rustls|jsonwebtoken|argon2|bcrypt|hmac|openssl|aes_gcm|chacha20poly1305"
_DOT_NET = r"System\.Security\.Cryptography|Microsoft\.AspNetCore\.(?:Authentication|Authorization|Identity)"

#: Each is matched anywhere in a line; the named group or the whole match is what the line uses.
_CODE = re.compile(
    "|".join(
        (
            rf"^\s*(?:import|from)\s+(?P<python>{_PYTHON})(?![\w-])",
            rf"(?:\bfrom|\brequire\(|\bimport\(?)\s*['\"](?P<node>{_NODE})['\"]",
            rf"^\s*(?:import\s+)?(?:[\w.]+\s+)?\"(?P<go>{_GO})\"",
            rf"^\s*import\s+(?:static\s+)?(?P<jvm>{_JVM})\b",
            rf"^\s*(?:pub\s+)?use\s+(?P<rust>{_RUST})::",
            rf"^\s*using\s+(?P<dotnet>{_DOT_NET})\b",
            r"^\s*require\s+['\"](?P<ruby>bcrypt|openssl|jwt|devise|omniauth)['\"]",
            r"\b(?:jwt|jsonwebtoken|JWT)\.(?:sign|verify|encode|decode)\(",
            r"\bbcrypt\.\w+\(",
            r"\bcreate(?:Hmac|Cipheriv|Decipheriv|Sign|Verify)\(",
            r"\bcrypto\.subtle\b",
            r"\b(?i:(?:hash|verify|check|compare|validate)_?password|password_?(?:hash|verify))\(",
            r"\bopenssl_\w+\(",
            r"@(?:UseGuards|PreAuthorize|Secured|RolesAllowed|login_required|permission_required)\b",
        )
    )
)


def critical_code(path: str, text: str) -> str | None:
    """What a changed line of code uses for authentication, authorisation or cryptography, or None."""
    found = _CODE.search(text[:2_000])
    if found is None or kind_of(path) is not FileKind.SOURCE:
        return None
    named = next((name for name in found.groups() if name), None)
    return named or found[0].rstrip("(").strip()
