"""Measurements that README quotes; each module is one, writes one JSON file, and compares within one run."""
