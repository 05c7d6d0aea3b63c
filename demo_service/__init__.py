"""The reference application: an orders API, its payment provider and the load on both."""
