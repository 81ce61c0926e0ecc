"""The index nodes behind the gateway and how a call finds one; imports contracts only."""
