"""The build: makes dist/ from this repository and pinned packages, with plain Python and Node."""
