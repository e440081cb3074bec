"""A strict DICOMweb server, and the wrongs of others, for the tests of clients."""

from tests.dicomweb.handler import Exchange
from tests.dicomweb.server import DicomWebServer

__all__ = ["DicomWebServer", "Exchange"]
