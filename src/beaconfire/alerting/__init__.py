"""Events to places, time left and the life of a warning."""
