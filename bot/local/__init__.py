"""The emulated outside world: a leaf that imports no product code."""
