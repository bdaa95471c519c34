"""The composition root: settings, command line, and the all-in-one embedded server."""
