"""A local Eiger: the whole contract over real HTTP, with a clock that can be advanced."""

from workflow.simulator.options import QUIRKS, REALISTIC_QUIRKS, SimulatorOptions, options_like
from workflow.simulator.server import running_simulator, serve
