"""Certificates by Gappa of single steps in every format."""
