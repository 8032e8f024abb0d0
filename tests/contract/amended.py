"""The contract that the simulator keeps: the published one with the listed deviations."""

import copy
from typing import Any

from tests.contract.disagreements import BESIDE
from workflow.contract import contract

ERROR = {"$ref": "#/components/responses/badRequestError"}


def amended_contract() -> dict[str, Any]:
    """Return a copy with the statuses of `BESIDE`, and with a header that carries text.

    `nullable` beside a `$ref` is applied: OpenAPI 3.0 ignores it, but the service does send null there.
    """
    document: dict[str, Any] = _nullable_meant(copy.deepcopy(contract()))
    by_id = {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    }
    for beside in BESIDE:
        for operation_id in beside.operations:
            by_id[operation_id]["responses"].setdefault(beside.status, ERROR)
    scan_report = document["components"]["responses"]["getPrintedPartScanReport"]
    scan_report["headers"]["Location"]["schema"] = {"type": "string"}  # HEADER_CARRIES_TEXT
    return document


def _nullable_meant(node: Any) -> Any:
    if isinstance(node, list):
        return [_nullable_meant(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and node.get("nullable"):
        return {"allOf": [{"$ref": node["$ref"]}], "nullable": True}
    return {name: _nullable_meant(value) for name, value in node.items()}
