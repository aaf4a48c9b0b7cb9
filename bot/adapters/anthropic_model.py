"""Anthropic's models that edit: one request per call, no retries, nothing hidden (DESIGN, "Model wire")."""

from __future__ import annotations

import asyncio
import importlib
import json
from typing import TYPE_CHECKING, Any, Literal

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
from bot.domain.calls import EditCall, ModelReply, ModelRequest, Usage
from bot.domain.model_text import storable
from bot.errors import ModelError

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

EDITOR = "str_replace_based_edit_tool"
EDIT_TOOLS = [{"type": "text_editor_20250728", "name": EDITOR}]
STOPS: dict[str, Literal["end", "tool_use", "max_tokens", "refusal", "other"]] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "refusal": "refusal",
}


class AnthropicModel:
    """ports.ModelClient on the anthropic SDK. The SDK (1.5 to 3 s, 65 MB) is loaded at the first call, in a
    thread. `timeout_seconds` bounds a whole call. Raises ConfigError for a key that cannot be one."""

    def __init__(self, api_key: str, base_url: str | None = None, timeout_seconds: float = 300.0) -> None:
        self.provider = Provider(
            "Anthropic",
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
            checked_key(api_key, "ANTHROPIC_API_KEY"),
        )
        self._base_url = base_url
        self.timeout = timeout_seconds
        self._client: AsyncAnthropic | None = None
        self._loading = asyncio.Lock()

    async def count(self, request: ModelRequest) -> int:
        """Input tokens of the request, tools included, as the provider counts them; free."""
        body = await self._call("/v1/messages/count_tokens", request, self.fields(request))
        try:
            return tokens_of(body, "input_tokens", required=True)
        except ValueError as error:
            raise self.provider.no_answer(str(error)) from error

    async def send(self, request: ModelRequest) -> ModelReply:
        """One paid call. Raises ModelRefusedCall or ModelOutcomeUnknown."""
        fields = self.fields(request) | {"max_tokens": request.max_output}
        body = await self._call("/v1/messages", request, fields)
        try:
            return reply_of(body)
        except ValueError as error:
            raise self.provider.no_answer(str(error)) from error

    async def list_models(self) -> tuple[str, ...]:
        """The ids that the key may use (`orch doctor`); free."""
        client = await self.client()
        try:
            async with asyncio.timeout(self.timeout):
                return tuple([model.id async for model in client.models.list(limit=100)])
        except Exception as error:
            raise self.translated(error, "") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    def fields(self, request: ModelRequest) -> dict[str, Any]:
        """The request as the wire has it, without its limit of output."""
        fields: dict[str, Any] = {"model": request.model, "messages": list(request.messages)}
        if request.cache_system:
            fields["system"] = [{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}]
        elif request.system:
            fields["system"] = request.system
        if request.edit_tools:
            fields["tools"] = EDIT_TOOLS
        return fields

    async def _call(self, path: str, request: ModelRequest, fields: dict[str, Any]) -> dict[str, Any]:
        """The answer's JSON object, read raw: the SDK's own classes pass odd answers on silently, and a
        conversation must go back exactly as it came."""
        client = await self.client()
        messages = client.messages.with_raw_response
        create = messages.create if path == "/v1/messages" else messages.count_tokens
        try:
            async with asyncio.timeout(self.timeout + CONNECT_SECONDS):
                raw = await create(**fields, extra_headers={"X-Orch-Call": request.call_id})
            body = json.loads(raw.http_response.content)
        except Exception as error:
            raise self.translated(error, request.model) from error
        if not isinstance(body, dict):
            raise self.provider.no_answer("no JSON object")
        return body

    async def client(self) -> AsyncAnthropic:
        """The SDK's client, made at the first call."""
        async with self._loading:
            if self._client is None:
                sdk = await asyncio.to_thread(importlib.import_module, "anthropic")
                try:
                    self._client = self._connect(sdk)
                except Exception as error:
                    raise self.provider.not_set_up(error) from error
        return self._client

    def _connect(self, sdk: Any) -> AsyncAnthropic:
        import httpx2

        timeout = httpx2.Timeout(self.timeout, connect=CONNECT_SECONDS)
        trusts = trusts_environment(self._base_url)
        client: AsyncAnthropic = sdk.AsyncAnthropic(
            api_key=self.provider.key,
            base_url=self._base_url,
            max_retries=0,
            timeout=timeout,
            http_client=httpx2.AsyncClient(
                timeout=timeout,
                limits=httpx2.Limits(max_connections=100),
                follow_redirects=False,  # a redirect would carry the key elsewhere
                trust_env=trusts,
                verify=verified(trusts),
            ),
        )
        return client

    def translated(self, error: Exception, model: str) -> ModelError:
        """The SDK's error as one of ours."""
        import anthropic

        match error:
            case anthropic.APIStatusError():
                return self.provider.status(
                    error.status_code,
                    error.api_message or "",
                    model=model,
                    own_body=error.type is not None,
                    retry_after=retry_after_seconds(error.response.headers),
                )
            case anthropic.APIConnectionError():
                return self.provider.transport(error.__cause__ or error)
            case _:
                return self.provider.no_answer(type(error).__name__)


def reply_of(body: dict[str, Any]) -> ModelReply:
    """The reply in an answer's JSON. Odd content becomes an EditCall that fails when it is applied, and so
    tells the model. Raises ValueError where it is no message, or does not say what it used."""
    body = storable(body)
    blocks = body.get("content")
    if not isinstance(blocks, list):
        raise ValueError("no content")
    content = [_fit_to_return(block, n) for n, block in enumerate(blocks) if _is_meant(block)]
    return ModelReply(
        model=text_of(body.get("model")),
        text="\n".join(block["text"] for block in content if block["type"] == "text"),
        edits=tuple(_edit(block) for block in content if block["type"] == "tool_use"),
        content=tuple(content),
        stop=STOPS.get(text_of(body.get("stop_reason")), "other"),
        usage=_usage(body.get("usage")),
    )


def _usage(usage: object) -> Usage:
    if not isinstance(usage, dict):
        raise ValueError("no usage")
    details = usage.get("output_tokens_details")
    return Usage(
        input=tokens_of(usage, "input_tokens", required=True),
        output=tokens_of(usage, "output_tokens", required=True),
        thinking=tokens_of(details, "thinking_tokens") if isinstance(details, dict) else 0,
        cache_write=tokens_of(usage, "cache_creation_input_tokens"),
        cache_read=tokens_of(usage, "cache_read_input_tokens"),
    )


def _is_meant(block: object) -> bool:
    """Blocks that the API would take back: typed, and not an empty text."""
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        return False
    return block["type"] != "text" or bool(text_of(block.get("text")).strip())


def _fit_to_return(block: dict[str, Any], number: int) -> dict[str, Any]:
    """The block as it came; only a tool call without an id or with an input that is no object is mended,
    since the API would refuse the conversation with it."""
    if block["type"] != "tool_use":
        return block
    given = block.get("input")
    return block | {
        "id": text_of(block.get("id")) or f"toolu_without_id_{number}",
        "name": text_of(block.get("name")),
        "input": given if isinstance(given, dict) else {},
    }


def _edit(block: dict[str, Any]) -> EditCall:
    """One tool call. That of a tool which we never offered has its name as the command: no such command."""
    given = block["input"]
    if block["name"] != EDITOR:
        return EditCall(id=block["id"], command=block["name"])
    texts = {
        name: value
        for name in ("file_text", "old_str", "new_str", "insert_text")
        if isinstance(value := given.get(name), str)
    }
    line = given.get("insert_line")
    return EditCall(
        id=block["id"],
        command=text_of(given.get("command")),
        path=text_of(given.get("path")),
        insert_line=line if isinstance(line, int) and not isinstance(line, bool) else None,
        **texts,
    )
