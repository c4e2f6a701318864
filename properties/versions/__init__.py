"""Versions of each system that the suite is shown: published code, and implementations with one
fault each."""
