"""What the commands of `orch` do; bot/__main__.py only parses."""
