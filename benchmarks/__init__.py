"""What observing costs, beside the peers, in one run: `make bench`."""
