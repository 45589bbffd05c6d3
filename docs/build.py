"""Build the site into runs/site/html: assemble its pages, let Sphinx draw them, and check what came out."""

import argparse
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

from building import assembly, checks


def main() -> int:
    """Exit status: 0 if the site is whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCS.parent / "runs" / "site", help="Folder of the site.")
    parser.add_argument("--external", action="store_true", help="Ask each link to another host, over the network.")
    options = parser.parse_args()
    out = options.out.resolve()
    shutil.rmtree(out / "html", ignore_errors=True)
    try:
        pages, beside = assembly.assemble(out)
    except (FileNotFoundError, ValueError) as error:
        print(error)
        return 1
    strictly = ["-W", "--keep-going", "-q", "-E", "-c", DOCS, "-d", out / "doctrees", "-D", f"html_extra_path={beside}"]
    status = build_main([str(word) for word in [*strictly, pages, out / "html"]])
    found = checks.problems(out / "html") + (checks.unreachable(out / "html") if options.external else [])
    print(*found, f"{out / 'html' / 'index.html'}: {len(found)} problems", sep="\n")
    return status or bool(found)


if __name__ == "__main__":
    sys.exit(main())
