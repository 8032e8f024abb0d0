"""The simulator as one ASGI application: the API, the control plane, and the targets of signed links."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from workflow.simulator import control, views
from workflow.simulator.api import BASE_PATH, Api
from workflow.simulator.control import ControlPlane, Endpoint
from workflow.simulator.simulation import Simulation

ONE_PIXEL_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


def make_app(simulation: Simulation) -> ASGIApp:
    """Return the application; the API answers every path under its base, unknown ones too."""
    api = Api(simulation)
    other_routes = Starlette(
        routes=[
            Mount(control.CONTROL_PATH, routes=ControlPlane(simulation).routes()),
            Route(f"{views.SIGNED_LINKS_PATH}/{{kind}}/{{row_id}}", _signed_link_endpoint(simulation)),
        ]
    )

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and f"{scope['path']}/".startswith(f"{BASE_PATH}/")
        await (api if is_api else other_routes)(scope, receive, send)

    return route


def _signed_link_endpoint(simulation: Simulation) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        kind, row_id = request.path_params["kind"], request.path_params["row_id"]
        views, asked = simulation.views(), request.query_params
        what, expires, signature = f"{kind}/{row_id}", asked.get("expires", ""), asked.get("signature", "")
        if not views.links.verify(what, expires, signature, views.world.now):
            return JSONResponse({"message": "This link has expired or is not valid."}, 403)
        if kind != "stl":
            return Response(ONE_PIXEL_PNG, media_type="image/png")
        stl = views.world.part_versions[row_id].stl
        return FileResponse(stl.path, media_type="model/stl") if stl else Response(status_code=404)

    return endpoint
