"""Attacks on pages that hold secrets; `web/docs/security.md` promises what becomes of them."""
