"""What a call costs, in integer micro-dollars (DESIGN, "Money"; R-BUD-4). Prices come from the adapter."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from bot.domain.calls import Usage
from bot.domain.task import Frozen, Route

DOLLAR = 1_000_000  # in micro-dollars
MTOK = 1_000_000  # tokens
#: The part of an edit's tokens that is output: files go in, short edits come out.
OUTPUT_SHARE = 0.35


class Rate(Frozen):
    """Micro-dollars per million tokens, by kind of token."""

    input: int
    output: int
    cache_write: int
    cache_read: int


class Price(Frozen):
    """What one model costs on one date. Where a prompt (all input, cached too) is longer than `above`
    tokens of a long rate, that rate holds for every token of the call."""

    base: Rate
    long: tuple[tuple[int, Rate], ...] = ()  # (above, rate), ascending
    batched: Price | None = None  # what it costs through the provider's batch API, where the price list says

    def of(self, batch: bool) -> Price:
        """The price of a call made through the batch API, or not. Both providers document half of every price
        there, which holds where the price list does not say."""
        if not batch:
            return self
        return self.batched or Price(base=_half(self.base), long=tuple((at, _half(rate)) for at, rate in self.long))

    def rate(self, prompt_tokens: int) -> Rate:
        """The rate for a call with so many input tokens."""
        chosen = self.base
        for above, rate in self.long:
            if prompt_tokens > above:
                chosen = rate
        return chosen


def cost(usage: Usage, price: Price) -> int:
    """Micro-dollars for what was used, rounded up. Thinking is part of output."""
    rate = price.rate(usage.input + usage.cache_write + usage.cache_read)
    total = (
        usage.input * rate.input
        + usage.output * rate.output
        + usage.cache_write * rate.cache_write
        + usage.cache_read * rate.cache_read
    )
    return _per_mtok(total)


def worst_cost(input_tokens: int, max_output: int, price: Price) -> int:
    """Micro-dollars that a call may cost at most (R-BUD-4): whatever the cache does, at full output."""
    rate = price.rate(input_tokens)
    dearest = max(rate.input, rate.cache_write, rate.cache_read)
    return _per_mtok(input_tokens * dearest + max_output * rate.output)


def affordable_output(input_tokens: int, microusd: int, price: Price) -> int:
    """The most output whose `worst_cost` with this input is within so many micro-dollars; 0 where even the input is
    not."""
    rate = price.rate(input_tokens)
    dearest = max(rate.input, rate.cache_write, rate.cache_read)
    left = microusd * MTOK - input_tokens * dearest
    return max(0, left // rate.output) if rate.output else (MTOK if left >= 0 else 0)


def expected_cost(tokens: int, price: Price) -> int:
    """Micro-dollars that an edit of so many tokens, input and output together, is likely to cost."""
    output = round(tokens * OUTPUT_SHARE)
    return cost(Usage(input=tokens - output, output=output), price)


def priced(route: Route, budget: int, price: Price) -> Route:
    """The route with what one attempt within `budget` tokens takes and costs at most (R-RT-7)."""
    tokens = min(route.expected_tokens or budget, budget)
    return route.model_copy(update={"expected_tokens": tokens, "max_cost_microusd": cost(Usage(output=budget), price)})


def price_from_dollars(
    input: float | Decimal,
    output: float | Decimal,
    cache_write: float | Decimal | None = None,
    cache_read: float | Decimal | None = None,
) -> Price:
    """A price given in dollars per million tokens, as a person writes it in the config file
    (`models.<rung>.price`). What is not said about the cache is taken at its dearest: 1.25 x input to
    write, input to read. Raises ValueError for a negative or endless number."""
    read = input if cache_read is None else cache_read
    write = Decimal(str(input)) * Decimal("1.25") if cache_write is None else cache_write
    return Price(base=Rate(input=micro(input), output=micro(output), cache_write=micro(write), cache_read=micro(read)))


def micro(dollars: float | Decimal) -> int:
    """Dollars as micro-dollars, rounded up. Raises ValueError for a negative or endless number."""
    exact = Decimal(str(dollars))
    if not exact.is_finite() or exact < 0:
        raise ValueError(f"{dollars} is not a price in dollars")
    return int((exact * DOLLAR).to_integral_value(rounding=ROUND_CEILING))


def _half(rate: Rate) -> Rate:
    return Rate(**{kind: -(-price // 2) for kind, price in rate.model_dump().items()})


def _per_mtok(micro_times_tokens: int) -> int:
    return -(-micro_times_tokens // MTOK)
