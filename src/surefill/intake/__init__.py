"""The doors: translate in, drive the engine, translate back, nothing else."""
