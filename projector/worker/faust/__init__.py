"""A worker as a member of a consumer group, through Faust."""
