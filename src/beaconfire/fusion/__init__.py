"""Reports to events: correlation, information fusion, launch point, impact area."""
