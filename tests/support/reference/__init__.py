"""The reference table: images made in code, in every form that pyloader says it reads."""
