"""Label algebra, decide, sanitise, seal: who may learn what."""
