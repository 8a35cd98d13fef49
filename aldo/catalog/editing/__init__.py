"""Editing files as a careful person would: only the lines that have to change, and whole or not at all."""
