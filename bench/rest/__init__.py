"""One server, asked over REST: every measurement next to its goal, and to peers in the same run."""
