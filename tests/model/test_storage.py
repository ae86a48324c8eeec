"""A model directory is read once, by however many threads."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor


def test_many_threads_build_one_reader(tiny_classifier):
    model = copy.copy(tiny_classifier._model)  # without what was made from the weights
    together = threading.Barrier(6)

    def read(_):
        together.wait()
        return model.reader

    with ThreadPoolExecutor(6) as pool:
        readers = list(pool.map(read, range(6)))
    assert all(reader is readers[0] for reader in readers)
    assert tiny_classifier._model.reader is not readers[0]
