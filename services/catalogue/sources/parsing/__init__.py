"""Reading lines, JSON and XML as streams; imports records only."""
