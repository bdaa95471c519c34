"""What several tests need: a real server process, an HTTP client without conveniences, seeds."""
