"""The api process of a cluster: one supervisor, and workers that write to Kafka and read segments and feeds."""
