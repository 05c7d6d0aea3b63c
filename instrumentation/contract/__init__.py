"""What every part agrees on: metric names, labels, buckets, queries and service levels."""
