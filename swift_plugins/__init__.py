"""Plugins for ms-swift."""
