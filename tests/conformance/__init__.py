"""Which line of the promise holds, told by the tests that prove it."""
