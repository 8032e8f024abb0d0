"""A local Eiger: the whole contract over real HTTP, with a clock that is a dial."""

from workflow.simulator.options import QUIRKS, REALISTIC, SimulatorOptions
from workflow.simulator.server import running, serve

__all__ = ["QUIRKS", "REALISTIC", "SimulatorOptions", "running", "serve"]
