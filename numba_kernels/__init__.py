"""Fast CPU kernels, written with Numba and independently of `reference`. Import the module you need: `diagonal`."""
