"""One feed format a module; imports parsing and records."""
