"""Fast CPU kernels, written with Numba and independently of `reference`.

Import the module you need: `diagonal`, `chunked` (the same scan, parallel in time), `rotation`.
"""
