"""Who may call what, how often and from where; imports contracts, the catalogue's keys and the settings."""
