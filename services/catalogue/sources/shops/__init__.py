"""One shop system a module: its exports, with parents and variants; imports formats, parsing and records."""
