"""Honest programs by the hundred thousand: false alarms, tightness, long sequences."""
