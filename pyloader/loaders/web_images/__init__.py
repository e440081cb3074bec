"""Web images: one file per format, which knows its header and refuses what is not all there.

`recognise.py` tells them apart, `picture.py` makes an `Image` of what `pyloader.pixels.codecs`, or
the browser, decodes.
"""
