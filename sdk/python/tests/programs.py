"""Embedders that the tests start as programs."""

import os
import time

import numpy as np
from bertopic_sdk import EMPTY, Description, Embedder, Info, Option, Refused, Vectors, failed, progress, warn

print("a library that greets while it loads")


class Letters(Embedder):
    """Counts of bytes by their value modulo 8, unit length; and whatever the option fault says."""

    def describe(self):
        return Description(
            "letters",
            "1.2.3",
            "counts of bytes",
            options=[
                Option("fault", "string", "none", "what goes wrong"),
                Option("folder", "string", "", "where close() leaves a file"),
            ],
            environment=["LETTERS_KEY"],
        )

    def configure(self, settings):
        self.fault = settings["fault"]
        if self.fault == "refuse":
            warn("first a warning", option="fault")
            raise Refused("no such model", "look elsewhere", "fault")
        return Info(dimension=8, metric="cosine", unit_length=True, batch_invariant=True)

    def embed(self, texts, images):
        if self.fault == "noise":
            print("on standard output")
            os.write(1, b"x" * 100_000 + b"\n")
        if self.fault == "hang":
            time.sleep(1000)
        out = np.zeros((len(texts), 8), np.float32)
        statuses = {}
        for i, text in enumerate(texts):
            if text == "bad":
                statuses[i] = failed("a bad row")
            elif not text:
                statuses[i] = EMPTY
            else:
                out[i] = np.bincount(np.frombuffer(text.encode(), np.uint8) % 8, minlength=8)
                out[i] /= np.linalg.norm(out[i])
            if self.fault == "slow":
                time.sleep(0.05)
                progress(i + 1)
        return Vectors(out, statuses)

    def close(self):
        folder = self.settings["folder"]
        if folder:
            with open(os.path.join(folder, "closed"), "w"):
                pass
