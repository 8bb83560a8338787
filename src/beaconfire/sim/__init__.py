"""A seeded world: flights, sensors, network, disk, faults."""
