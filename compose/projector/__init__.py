"""``headwater projector``: a worker that folds the partitions it is given by its consumer group."""
