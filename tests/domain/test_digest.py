"""Several messages as one, within Slack's limits (issue 5)."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.digest import MOST_BLOCKS, that_fit, together


def a_message(blocks: int, name: str = "") -> dict[str, Any]:
    return {"text": "said", "blocks": [{"type": "section", "block_id": f"{name}{n}"} for n in range(blocks)]}


@pytest.mark.parametrize(
    ("sizes", "fit"),
    [
        ([], 0),
        ([1, 1], 2),
        ([3] * 12, 12),  # 36 and 11 dividers
        ([3] * 13, 12),
        ([48], 1),
        ([49], 0),
        ([47, 0], 1),  # one without blocks is one of its text, behind a divider
        ([46, 0], 2),
    ],
)
def test_so_many_fit(sizes: list[int], fit: int) -> None:
    messages = [a_message(size) if size else {"text": "said"} for size in sizes]
    assert that_fit(messages) == fit
    assert len(together(messages[:fit])) <= MOST_BLOCKS


def test_names_of_blocks_stay_unique_and_the_rest_as_it_was() -> None:
    blocks = together([a_message(2, "a"), {"text": "only words"}, a_message(2, "a")])
    assert [block.get("block_id") for block in blocks] == ["a0", "a1", None, None, None, None, None]
    assert [block["type"] for block in blocks] == ["section", "section", "divider", "section", "divider"] + [
        "section"
    ] * 2
    assert blocks[3]["text"] == {"type": "mrkdwn", "text": "only words"}
