"""What `./run` starts: the checks, the sweeps and the benchmarks."""
