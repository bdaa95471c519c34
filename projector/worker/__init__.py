"""The worker: opens the partitions it is given, folds them, lets them go. Embedded, it is given all of them."""
