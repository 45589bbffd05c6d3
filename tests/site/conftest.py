"""What builds the site lies in docs/; `make site` installs what it needs, and runs these tests."""

import importlib.util
import sys

from dnlib.images import ROOT

sys.path.insert(0, str(ROOT / "docs"))
if not all(importlib.util.find_spec(name) for name in ("docutils", "latex2mathml")):
    collect_ignore_glob = ["test_*.py"]
