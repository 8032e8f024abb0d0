"""Tests of stlflow. Python keeps what it compiles during a test run, also where it is told not to.

A run starts hundreds of processes. Each of them would compile the product again, and each worker would
rewrite the assertions of all test files.
"""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
