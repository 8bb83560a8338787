"""The page of one nation's display, its REST interface and its socket, on loopback."""
