"""The site, made of what lies in the repository: pages that Sphinx can read are assembled, built and checked.

Nothing is executed, and nothing is fetched. `python docs/build.py` is `make site`.
"""
