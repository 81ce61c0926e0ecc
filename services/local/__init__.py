"""The stack without Docker: its processes and the stand-ins for two servers; imports only contracts."""
