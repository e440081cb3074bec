"""Who and with what: the patient's name in its groups, what was injected."""

from __future__ import annotations

from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.modules.tables import ISOTOPE, PATIENT

# Component groups of a person name, in their order (PS3.5 6.2.1.1).
NAME_GROUPS = ("alphabetic", "ideographic", "phonetic")


def read_patient(frame: Frame) -> Module:
    """Return the Patient module (PS3.3 C.7.1.1); the name whole, and in its component groups."""
    found = frame.pick(PATIENT)
    name = found.get("patient_name")
    groups = name_groups(name) if isinstance(name, str) else {}
    return found | ({"patient_name_groups": groups} if groups else {})


def name_groups(name: str) -> Module:
    """Return the component groups of a person name that are there, such as ``ideographic``."""
    groups = zip(NAME_GROUPS, name.split("="), strict=False)
    return {kind: group.strip() for kind, group in groups if group.strip(" ^")}


def read_isotope(frame: Frame) -> Module:
    """Return what a PET radiopharmaceutical was (PS3.3 C.8.9.2, C.8.22.4)."""
    items = frame.items("RadiopharmaceuticalInformationSequence")
    return {"radiopharmaceutical_info": pick(items[0], ISOTOPE)} if items else {}
