"""Research formats: loaders that use only the public Python interface, like a user's own.

Each module or package serves one scheme. If a good library for its format exists, it uses that,
loaded on first use (`Context.package`).
"""
