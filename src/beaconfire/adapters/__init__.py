"""The only I/O: bus, journal, clock, web, feeds."""
