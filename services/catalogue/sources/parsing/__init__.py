"""Reading lines, JSON and XML as streams; imports only records."""
