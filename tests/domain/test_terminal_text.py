"""Output of programs, as it is shown."""

from __future__ import annotations

import pytest

from bot.domain.terminal_text import plain_text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "xlink"),
        ("\x1b]0;cut off\nFAILED: the reason\n", "\nFAILED: the reason\n"),
        ("10%\r50%\r100%\r\nnext\r\n", "100%\nnext\n"),
        ("a\x00b\x07\tc\ufffd", "ab\tc\ufffd"),
        ("a\x85b\u2028c\x0cd", "abcd"),
    ],
)
def test_plain_text(raw: str, text: str) -> None:
    assert plain_text(raw) == text
