"""Clients of services that more than one other service calls; may import the rest of the contracts."""
