"""Training, evaluating and publishing networks; imports services, and no service imports it."""
