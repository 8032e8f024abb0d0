"""STL bytes to a mesh report: what the part measures, whether it is a closed solid, and why not.

What is imported here is light: the measuring itself happens in a process of its own.
"""

from workflow.mesh.inspector import InspectionLimits, Inspector
from workflow.mesh.warnings import MeshPolicy, format_size, parse_warning_kinds
