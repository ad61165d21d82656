"""The suite of `bertopic conformance`, on the example."""

from command import ROOT, conforms, needs_command, slow

NOUNS = "river garden lamp library letter train market bridge".split()
ROWS = [f"the {a} is near the {b}" for a in NOUNS for b in NOUNS]


@slow
@needs_command
def test_the_example(tmp_path):
    conforms(tmp_path, ROOT / "examples/embedder-python/embedder.py", ROWS)
