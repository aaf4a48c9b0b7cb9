"""What Gemini is sent and answers: messages and the verdict's schema in its form, and what stands in its JSON."""

from __future__ import annotations

from typing import Any

from bot.adapters.model_errors import text_of, tokens_of
from bot.domain.calls import ModelReply, ModelRequest, ReviewReply, Stop, Usage
from bot.domain.model_text import storable
from bot.domain.review import WireVerdict, parse_verdict


def answer_of(body: object) -> ModelReply:
    """The words in an answer's JSON. Raises ValueError where it is no answer, or does not say what it used."""
    answer, used = _answer(body)
    text, finish = _candidate(answer)
    stops: dict[str, Stop] = {"STOP": "end", "MAX_TOKENS": "max_tokens"}
    return ModelReply(
        model=text_of(answer.get("modelVersion")), text=text, stop=stops.get(finish, "other"), usage=_usage(used)
    )


def review_of(body: object) -> ReviewReply:
    """The review in an answer's JSON. Raises ValueError where it is no answer, or does not say what it used."""
    answer, used = _answer(body)
    text, finish = _candidate(answer)
    verdict = parse_verdict(text, finish == "STOP")
    if isinstance(verdict, str) and finish != "STOP":
        verdict = f"{verdict} ({finish})"
    return ReviewReply(
        model=text_of(answer.get("modelVersion")),
        verdict=None if isinstance(verdict, str) else verdict,
        why_none=verdict if isinstance(verdict, str) else "",
        usage=_usage(used),
    )


def _answer(body: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the answer, its usage). Raises ValueError."""
    if not isinstance(body, dict) or not isinstance(used := body.get("usageMetadata"), dict):
        raise ValueError("no usage")
    return storable(body), used


def _usage(used: dict[str, Any]) -> Usage:
    """Prompt tokens include the cached ones; thoughts are billed as output, and counted beside it."""
    prompt = tokens_of(used, "promptTokenCount", required=True) + tokens_of(used, "toolUsePromptTokenCount")
    cached = min(prompt, tokens_of(used, "cachedContentTokenCount"))
    thoughts = tokens_of(used, "thoughtsTokenCount")
    return Usage(
        input=prompt - cached,
        output=tokens_of(used, "candidatesTokenCount") + thoughts,
        thinking=thoughts,
        cache_read=cached,
    )


def _candidate(body: dict[str, Any]) -> tuple[str, str]:
    """The first candidate's text, thoughts left out, and why it ended."""
    candidates = body.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    if not isinstance(first, dict):
        feedback = body.get("promptFeedback")
        blocked = text_of(feedback.get("blockReason")) if isinstance(feedback, dict) else ""
        return "", f"blocked: {blocked}" if blocked else "no candidate"
    content = first.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    texts = [
        text_of(part.get("text"))
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict) and not part.get("thought")
    ]
    return "".join(texts), text_of(first.get("finishReason")) or "no finish reason"


def contents(request: ModelRequest) -> list[Any]:
    """The messages in Gemini's form. A review holds text only; other blocks are left out."""
    return [
        content("model" if message["role"] == "assistant" else "user", _text(message["content"]))
        for message in request.messages
    ]


def content(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list | tuple) else []
    return "\n".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text")


def retry_delay(inner: object) -> float | None:
    """Seconds of Google's RetryInfo: `{"@type": ".../google.rpc.RetryInfo", "retryDelay": "13s"}`."""
    details = inner.get("details") if isinstance(inner, dict) else None
    for detail in details if isinstance(details, list) else []:
        delay = text_of(detail.get("retryDelay")) if isinstance(detail, dict) else ""
        if delay.endswith("s") and delay[:-1].replace(".", "", 1).isdigit():
            return float(delay[:-1])
    return None


def review_schema() -> dict[str, Any]:
    """WireVerdict's schema as it goes over the wire, bare: titles and docstrings would be paid for with every
    call."""
    schema = WireVerdict.model_json_schema()
    bare: dict[str, Any] = _bare(schema, schema.get("$defs", {}))
    return bare


def _bare(node: Any, defs: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_bare(part, defs) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _bare(defs[node["$ref"].rpartition("/")[2]], defs)
    if isinstance(node.get("properties"), dict):
        named = {name: _bare(part, defs) for name, part in node["properties"].items()}
        order = {"property_ordering": list(named), "required": node["required"]}
        return {"type": node["type"], "properties": named, **order}
    if "anyOf" in node:  # Pydantic's `X | None`
        (wanted,) = (part for part in node["anyOf"] if part != {"type": "null"})
        return {**_bare(wanted, defs), "nullable": True}
    dropped = ("title", "description", "default", "$defs")
    return {key: _bare(part, defs) for key, part in node.items() if key not in dropped}
