"""Pure nodes: message in, commands out. No I/O, no clock, no random number, no task."""
