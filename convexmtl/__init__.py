"""Convex multi-task learning."""
