"""The benchmarks: named collections of tasks, one file each."""
