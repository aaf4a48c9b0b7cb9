"""Durable stages and the effects of what people do: gather facts, ask the domain, do one effect. No decisions here."""
