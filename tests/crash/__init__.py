"""Kill the server at random instants and check that nothing acknowledged is lost."""
