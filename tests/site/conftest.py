"""What builds the site lies in docs/; `make site` installs what it needs, and runs these tests.

Those that need nothing of it run with all the others.
"""

import importlib.util
import sys

from dnlib.images import ROOT

sys.path.insert(0, str(ROOT / "docs"))
if not all(importlib.util.find_spec(name) for name in ("docutils", "latex2mathml")):
    collect_ignore = ["test_chapter_pages.py", "test_lite.py", "test_site_build.py", "test_site_pages.py"]
