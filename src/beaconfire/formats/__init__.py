"""One file per outside format, to and from messages."""
