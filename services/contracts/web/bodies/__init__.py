"""Reading request bodies within their limits: forms, JSON and raw bytes; imports problems and headers, no app."""
