"""Mutation testing: draws small changes to the services' code and counts those that no test notices."""
