"""A conversion gets no more memory than there is: what a file claims beyond that ends in an error."""

import subprocess
import sys
import unittest

import support

CLAIM = """
import sys
sys.path.insert(0, sys.argv[1])
import memory
limit = memory.limit()
try:
    bytearray(limit)
except MemoryError:
    print("refused")
"""


class Limit(unittest.TestCase):
    def test_more_than_there_is_fails(self):
        run = subprocess.run(
            [sys.executable, "-B", "-c", CLAIM, str(support.WORKER)], capture_output=True, text=True, check=True
        )
        self.assertEqual(run.stdout, "refused\n")


if __name__ == "__main__":
    unittest.main()
