"""``wadouri:``, ``dicomweb:``, ``localfile:``, ``dicomfile:``: DICOM Part 10 files.

A file is fetched and parsed once for all its frames, even if several are requested together. For a
large file with many frames, only the header and the wanted frames are fetched, by byte ranges, if
the server supports them. Zip archives, DICOMDIRs and folders list the images of their files;
``#member=a/b.dcm`` names a member of an archive.
"""
