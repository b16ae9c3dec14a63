"""The pure core: what a workspace is and how it moves. No clock, no randomness, no I/O, no float."""
