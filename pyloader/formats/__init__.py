"""Research formats: loaders on the public Python interface alone, as a user's own would be.

Each file serves one scheme, and reads its format with a library where a good one exists, loaded on
first use (`Context.package`).
"""
