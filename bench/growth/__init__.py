"""How a server does as a collection grows, on made-up clusters."""
