"""Bulk imports: the command, its options and its parts; `services.bulk` is imported when a command runs."""
