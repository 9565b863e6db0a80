"""Tests that share one cluster, which ends with them."""
