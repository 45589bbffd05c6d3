"""Reference answers of the exercises, a file per chapter.

Whoever is stuck may read them; chapters hold hints instead, and `dnlib.check` loads an answer only to compare with it.
"""
