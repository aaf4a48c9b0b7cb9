"""What every test of the workflows may ask for."""

from __future__ import annotations

import pytest

from bot.store.database import Database
from bot.workflows.office import Office
from tests.workflows.offices import an_office


@pytest.fixture
def office(database: Database) -> Office:
    """A project and a database, with Slack, git and models that do nothing by themselves."""
    return an_office(database)
