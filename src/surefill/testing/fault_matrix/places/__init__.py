"""The venues of the matrix."""
