"""The stack without Docker: its processes and the stand-ins for two servers; imports contracts, and the three services
only to run them in one process."""
