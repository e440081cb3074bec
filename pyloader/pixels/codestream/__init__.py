"""Codestreams: identify their encoding, check that they are complete and match the header."""
