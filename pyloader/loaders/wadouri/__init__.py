"""``wadouri:``, ``dicomweb:``, ``localfile:``, ``dicomfile:``: DICOM Part 10 files.

The file is fetched and parsed once for all its frames, also when they are asked for together. Of a
large file with many frames only the header and the frames that are wanted are fetched, by byte
ranges, when its server has them. A zip archive, a DICOMDIR and a folder hold files: their images
are listed, and a member of an archive is named ``#member=a/b.dcm``.
"""
