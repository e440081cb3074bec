"""A strict DICOMweb server, and the wrongs of others, for the tests of clients."""

from tests.support.dicomweb.handler import Exchange
from tests.support.dicomweb.server import DicomWebServer

__all__ = ["DicomWebServer", "Exchange"]
