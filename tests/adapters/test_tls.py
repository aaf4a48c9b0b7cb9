"""One context for all clients that trust the same certificates, and as strict as httpx2's own."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx2
import pytest

from bot.adapters.tls import verified


def test_it_verifies_and_is_shared() -> None:
    ours, theirs = verified(False), httpx2.create_ssl_context(trust_env=False)
    assert (ours.verify_mode, ours.check_hostname) == (theirs.verify_mode, theirs.check_hostname)
    assert (ours.verify_mode, ours.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert ours.cert_store_stats() == theirs.cert_store_stats()
    assert verified(False) is ours


def test_the_environments_certificates_count_where_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    before = verified(True)
    (tmp_path / "none.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ssl.SSLError):  # it was read: there is no certificate in it
        verified(True)
    assert verified(False).cert_store_stats()
    monkeypatch.delenv("SSL_CERT_FILE")
    assert verified(True) is before
