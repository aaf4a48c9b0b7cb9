"""Outbound: the model SDKs, git, the sandbox and Slack's Web API live only here. SDK errors are translated once."""
