"""Throughput beside a measured copy; nobody is timed before being judged."""
