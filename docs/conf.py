"""How Sphinx builds the site from the pages that `building.assembly` puts together; `make site` calls it."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from building import formulas, reference, terms
from building.assembly import home

from dnlib.course import jobs

project = jobs.TITLE
author = "The dnlib authors"
copyright = f"{author}, MIT licence"
version = release = installed("dnlib")
html_title = project

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.intersphinx", "numpydoc"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}
nitpicky = False  # types are written in words: "ndarray, [H, W]"; a name that no inventory has stays code

nb_execution_mode = "off"
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

default_role = "py:obj"
autodoc_inherit_docstrings = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = reference.types()

intersphinx_mapping = reference.inventories(Path(__file__).parent / "inventories")

html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}
html_favicon = "../dnlib/denoiser/templates/icon.svg"
html_static_path = ["building/static"]
html_css_files = ["site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("sliders.js", "names.js")]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"
html_theme_options = {
    "logo": {"text": project},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "icon_links": [{"name": "Source", "url": home(), "icon": "fa-brands fa-git-alt"}] if home() else [],
    "show_prev_next": True,
    "collapse_navigation": True,  # its folding marks have no name for screen readers
    "show_toc_level": 2,
    "secondary_sidebar_items": {"**": ["page-toc"], "results/claims": [], "cards/index": []},  # wide tables
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "CONTRIBUTING": []}


def _link_terms(app, document):
    """Chapters and guides lead to the glossary where they first use a term of it."""
    page = app.env.docname
    if page.startswith(("notebooks/0", "notebooks/1", "docs/")) and page != "docs/glossary":
        glossary = (Path(app.srcdir) / "docs" / "glossary.md").read_text(encoding="utf-8")
        beside = "" if page.startswith("docs/") else "../docs/"
        terms.link(document, terms.terms(glossary), f"{beside}glossary.html")


def _as_rest(app, kind, name, thing, options, lines):
    """Docstrings are written for people who read the code; numpydoc goes on from here."""
    lines[:] = reference.rest("\n".join(lines)).split("\n")


def _say_once(app, page, template, context, doctree):
    """The front page's title is the site's: a browser's tab need not say it twice."""
    if page == "index":
        context["docstitle"] = ""


def setup(app):
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (formulas.inline, None), (formulas.block, None))
    app.connect("doctree-read", _link_terms)
    app.connect("autodoc-process-docstring", _as_rest, priority=100)
    app.connect("html-page-context", _say_once)
