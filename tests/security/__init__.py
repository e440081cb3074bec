"""Attacks on pages that hold secrets, and what becomes of them; `web/docs/security.md` promises it."""
