"""Benchmarks: what Farebox claims of its speed, measured against code written for nothing else."""
