"""Web images: one module per format, which parses its header and refuses truncated files.

`recognise.py` chooses the module by a file's signature. `picture.py` makes an `Image` of the pixels
that `pyloader.pixels.codecs` or the browser decodes.
"""
