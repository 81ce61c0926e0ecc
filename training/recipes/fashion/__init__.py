"""The network that Lookalike ships, trained in steps, its vectors' layers finetuned; imports publishing and below."""
