"""Public holidays by country, from the `holidays` library."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date


def public_holidays(country: str, years: Iterable[int]) -> frozenset[date]:
    """The dates of a country's public holidays in these years, those of its regions left out. `country`: two capital
    letters that the configuration has checked."""
    from holidays import country_holidays  # takes 0.1 s to import; most starts need it not

    return frozenset(country_holidays(country, years=years))
