"""Which models are indexed and which one is active. It imports the replica and the follower."""
