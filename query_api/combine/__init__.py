"""Plans over all shards of a collection: leaves are asked of each, inner nodes combine what they found."""
