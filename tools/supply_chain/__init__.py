"""Audits pinned dependencies: vulnerabilities, licences, a bill of materials; imports nothing of the project."""
