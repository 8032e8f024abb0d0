"""STL bytes to a mesh report: what the part measures, whether it is a closed solid, and why not."""

from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.policy import MeshPolicy, named_oddities

__all__ = ["MeshPolicy", "inspect_mesh", "named_oddities"]
