"""Gemini: reviews, and answers in words. One request per call; no verdict unless the answer is whole (R-SEC-4)."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bot.adapters.gemini_wire import answer_of, content, contents, retry_delay, review_of, review_schema
from bot.adapters.model_errors import (
    CONNECT_SECONDS,
    Provider,
    checked_key,
    retry_after_seconds,
    text_of,
    tokens_of,
    trusts_environment,
)
from bot.adapters.tls import verified
from bot.domain.calls import ModelReply, ModelRequest, ReviewReply
from bot.domain.models import takes_thinking_level
from bot.errors import ModelError

if TYPE_CHECKING:
    from google import genai
    from httpx2 import AsyncClient

T = TypeVar("T")
Thinking = Literal["minimal", "low", "medium", "high"]


#: Raw answer, since the SDK's own parsing warns or fails on values newer than itself; and nothing that would make it
#: send a second request by itself.
ON_THE_WIRE = {
    "automatic_function_calling": {"disable": True},
    "automatic_continuation": False,
    "should_return_http_response": True,
}


class GeminiReviewer:
    """ports.Reviewer and ports.ModelClient on the google-genai SDK, which is loaded at the first call, in a thread.
    `timeout_seconds` bounds a whole call. Raises ConfigError for a key that cannot be one."""

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        thinking: Thinking | None = "low",
        timeout_seconds: float = 180.0,
    ) -> None:
        self.provider = Provider(
            "Gemini", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", checked_key(api_key, "GEMINI_API_KEY")
        )
        self._base_url = base_url
        self._thinking = thinking
        self.timeout = timeout_seconds
        self._sdk: genai.Client | None = None
        self._http: AsyncClient | None = None
        self._loading = asyncio.Lock()

    async def count(self, request: ModelRequest) -> int:
        """Input tokens of the request, at least as many as it will use: this API counts contents only, so
        the system text and the schema are counted as one more content. Free."""
        client = await self.client()
        extra = f"{request.system}\n{json.dumps(review_schema())}"
        try:
            async with asyncio.timeout(self.timeout + CONNECT_SECONDS):
                answer = await client.aio.models.count_tokens(
                    model=request.model,
                    contents=[content("user", extra), *contents(request)],
                    config={"http_options": {"headers": {"X-Orch-Call": request.call_id}}},
                )
            return tokens_of({"totalTokens": answer.total_tokens}, "totalTokens", required=True)
        except Exception as error:
            raise self.translated(error, request.model) from error

    async def review(self, request: ModelRequest) -> ReviewReply:
        """One paid call for a verdict. Raises ModelRefusedCall or ModelOutcomeUnknown."""
        return await self._ask(request, review_of, review=True)

    async def send(self, request: ModelRequest) -> ModelReply:
        """One paid call for an answer in words (R-RT-3: a report). Raises ModelRefusedCall or
        ModelOutcomeUnknown."""
        return await self._ask(request, answer_of, review=False)

    async def _ask(self, request: ModelRequest, read: Callable[[object], T], *, review: bool) -> T:
        client = await self.client()
        messages, form = self.asked(request, review=review)
        config: Any = {**form, **ON_THE_WIRE, "http_options": {"headers": {"X-Orch-Call": request.call_id}}}
        try:
            async with asyncio.timeout(self.timeout + CONNECT_SECONDS):
                answer = await client.aio.models.generate_content(model=request.model, contents=messages, config=config)
            raw = answer.sdk_http_response
            return read(json.loads((raw.body if raw else None) or ""))
        except Exception as error:
            raise self.translated(error, request.model) from error

    async def list_models(self) -> tuple[str, ...]:
        """The ids that the key may use (`orch doctor`); free."""
        client = await self.client()
        try:
            async with asyncio.timeout(self.timeout):
                pager = await client.aio.models.list()
                return tuple([(model.name or "").removeprefix("models/") async for model in pager])
        except Exception as error:
            raise self.translated(error, "") from error

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = self._sdk = None

    def asked(self, request: ModelRequest, *, review: bool) -> tuple[list[Any], dict[str, Any]]:
        """(contents, configuration) of the call, by itself or in a batch."""
        level = self._thinking if takes_thinking_level(request.model) else None
        schema = {"response_mime_type": "application/json", "response_schema": review_schema()} if review else {}
        config = {
            "system_instruction": request.system or None,
            "max_output_tokens": request.max_output,
            "thinking_config": {"thinking_level": level} if level else None,
            **schema,
        }
        return contents(request), config

    async def client(self) -> genai.Client:
        async with self._loading:
            if self._sdk is None:
                sdk = await asyncio.to_thread(importlib.import_module, "google.genai")
                try:
                    self._sdk = self._connect(sdk)
                except Exception as error:
                    raise self.provider.not_set_up(error) from error
        return self._sdk

    def _connect(self, sdk: Any) -> genai.Client:
        """With an HTTP client of our own: where aiohttp is installed, the SDK would use that instead, and
        silently send a request again after a lost connection."""
        import httpx2

        trusts = trusts_environment(self._base_url)
        context = verified(trusts)
        self._http = httpx2.AsyncClient(follow_redirects=False, trust_env=trusts, verify=context)
        client: genai.Client = sdk.Client(
            vertexai=False,
            api_key=self.provider.key,
            http_options={
                "base_url": self._base_url,
                "api_version": "v1beta",
                "timeout": max(1, round(self.timeout * 1000)),  # without it the SDK switches time-outs off
                "httpx_async_client": self._http,
                "client_args": {"trust_env": False, "verify": context},  # the synchronous client: never used
                "async_client_args": {"ssl": context},  # for WebSockets: never used, but made
            },
        )
        return client

    def translated(self, error: Exception, model: str) -> ModelError:
        import httpx2
        from google.genai import errors

        match error:
            case errors.APIError():
                return self._status(error, model)
            case httpx2.TransportError() | httpx2.InvalidURL():
                return self.provider.transport(error)
            case _:
                return self.provider.no_answer(type(error).__name__)

    def _status(self, error: Any, model: str) -> ModelError:
        details = error.details if isinstance(error.details, dict) else {}
        inner = details.get("error")
        reasons = json.dumps(inner) if isinstance(inner, dict) else ""
        code = 401 if error.code == 400 and "API_KEY_INVALID" in reasons else int(error.code)
        wait = retry_after_seconds(error.response.headers) if error.response is not None else None
        return self.provider.status(
            code,
            text_of(error.message),
            model=model,
            own_body=isinstance(inner, dict),
            retry_after=wait if wait is not None else retry_delay(inner),
        )
