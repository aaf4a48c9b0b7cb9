"""How connections to providers are verified. The machine's certificates are read once, not for each client."""

from __future__ import annotations

import os
import ssl
from functools import cache


def verified(trust_environment: bool) -> ssl.SSLContext:
    """The context that httpx2 makes, shared. With `trust_environment`, SSL_CERT_FILE and SSL_CERT_DIR may name other
    certificates."""
    named = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")) if trust_environment else (None, None)
    return _made(trust_environment, *named)


@cache
def _made(trust_environment: bool, _file: str | None, _folder: str | None) -> ssl.SSLContext:
    import httpx2

    return httpx2.create_ssl_context(trust_env=trust_environment)
