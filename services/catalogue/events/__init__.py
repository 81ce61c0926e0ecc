"""Searches and what shoppers do with their results, in the terms of User Behavior Insights (UBI); imports contracts."""
