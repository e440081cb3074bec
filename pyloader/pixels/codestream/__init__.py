"""Codestreams: which encoding one is in, and whether it is whole and says what the header says."""
