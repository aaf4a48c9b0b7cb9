"""The emulated models, as a test of an adapter finds them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.adapters.emulated_models import World, emulated_models


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with emulated_models() as world:
        yield world
