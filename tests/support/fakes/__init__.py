"""Stand-ins in this process for what a test does not need as it is. May import values and pictures."""
