"""The build: makes dist/ of this repository and of pinned packages, with plain Python and node."""
