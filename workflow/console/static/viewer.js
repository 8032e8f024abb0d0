// <part-viewer mesh="URL" name="..."><img ...></part-viewer>: the picture stays where WebGL2 is missing.
// Outside gray, inside orange, open edges red, or pale behind the part. Draws only when something changes.

const EDGE_PX = 2.5, RED = [0.878, 0, 0.141, 1], PALE = [1, 0.588, 0.647, 0.65];
const AZIMUTH = -60, ELEVATION = 30, FLIGHT_MS = 350, radians = Math.PI / 180;
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const make = (tag, values) => Object.assign(document.createElement(tag), values);
const button = (textContent, onclick) => make("button", { type: "button", textContent, onclick });

const FACETS = [`#version 300 es
in vec3 p; uniform mat3 turn; uniform vec4 fit; out vec3 v;
void main() { v = turn * p; gl_Position = vec4((v.xy - fit.xy) * fit.zw, v.z, 1); }`,
`#version 300 es
precision highp float; in vec3 v; out vec4 c;
void main() {
  vec3 n = cross(dFdx(v), dFdy(v)); float l = length(n);
  n = l > 0. ? n / l : vec3(0, 0, -1); if (n.z > 0.) n = -n;
  float light = .45 + .55 * (dot(n, normalize(vec3(-.35, .6, -.75))) + 1.) / 2.;
  c = vec4((gl_FrontFacing ? vec3(.729, .784, .839) : vec3(1, .588, .118)) * light, 1);
}`], EDGES = [`#version 300 es
in vec3 a, b; uniform mat3 turn; uniform vec4 fit; uniform vec4 stroke;
void main() {
  vec3 p = turn * a, q = turn * b; p.xy = (p.xy - fit.xy) * fit.zw; q.xy = (q.xy - fit.xy) * fit.zw;
  vec2 d = (q.xy - p.xy) / stroke.xy; float l = length(d); d = l > 0. ? d / l : vec2(1, 0);
  float end = float(gl_VertexID & 1), side = float(gl_VertexID >> 1) * 2. - 1.;
  vec3 at = mix(p, q, end); at.xy += (d * (end * 2. - 1.) + vec2(-d.y, d.x) * side) * stroke.z * stroke.xy;
  gl_Position = vec4(at.xy, at.z - stroke.w, 1);
}`, `#version 300 es
precision mediump float; uniform vec4 color; out vec4 c;
void main() { c = vec4(color.rgb * color.a, color.a); }`];

async function load(url, signal) {
  for (;;) {
    const reply = await fetch(url, { signal });
    if (reply.status === 202) await new Promise((done) => setTimeout(done, 1000));
    else if (!reply.ok) throw new Error((await reply.text()).slice(0, 300) || reply.status);
    else {
      const buffer = await reply.arrayBuffer(), [shown, whole, edges] = new Uint32Array(buffer, 0, 3);
      const edgesAt = 16 + 36 * shown, text = new Uint8Array(buffer, edgesAt + 24 * edges);
      return {
        facets: new Float32Array(buffer, 16, 9 * shown), edges: new Float32Array(buffer, edgesAt, 6 * edges),
        shown, whole, ...JSON.parse(new TextDecoder().decode(text)),
      };
    }
  }
}

function painter(gl, { facets, edges }) {
  const layer = (sources, values, names, step) => {
    const program = gl.createProgram();
    sources.forEach((text, number) => {
      const shader = gl.createShader(number ? gl.FRAGMENT_SHADER : gl.VERTEX_SHADER);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    });
    gl.linkProgram(program);
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    names.forEach((name, number) => {
      const at = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 3, gl.FLOAT, false, 12 * names.length, 12 * number);
      gl.vertexAttribDivisor(at, step);
    });
    const at = (name) => gl.getUniformLocation(program, name);
    return { at, use(turn, fit) {
      gl.useProgram(program);
      gl.bindVertexArray(array);
      gl.uniformMatrix3fv(at("turn"), false, turn);
      gl.uniform4fv(at("fit"), fit);
    } };
  };
  const surface = layer(FACETS, facets, ["p"], 0), rims = layer(EDGES, edges, ["a", "b"], 1);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return (width, height, ratio, turn, fit) => {
    gl.viewport(0, 0, width, height);
    gl.enable(gl.DEPTH_TEST);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    surface.use(turn, fit);
    gl.drawArrays(gl.TRIANGLES, 0, facets.length / 3);
    rims.use(turn, fit);
    for (const [color, lift] of [[PALE, 0], [RED, 0.012]]) { // pale ones first, whatever hides them
      gl[lift ? "enable" : "disable"](gl.DEPTH_TEST);
      gl[lift ? "disable" : "enable"](gl.BLEND);
      gl.uniform4fv(rims.at("color"), color);
      gl.uniform4f(rims.at("stroke"), 2 / width, 2 / height, EDGE_PX * ratio / 2, lift);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, edges.length / 6);
    }
  };
}

function camera(host, canvas, mesh, paint) {
  const reach = Math.hypot(...mesh.size) / 2 || 1, view = { a: AZIMUTH, e: ELEVATION, x: 0, y: 0, zoom: 1 };
  let due = 0, flight = 0;
  const axes = ({ a, e }) => { // rows: right, up and away
    const [sa, ca, se, ce] = [Math.sin(a * radians), Math.cos(a * radians), Math.sin(e * radians), Math.cos(e * radians)];
    return [[-sa, ca, 0], [-ca * se, -sa * se, ce], [-ca * ce, -sa * ce, -se]];
  };
  const along = (axis, point) => axis.reduce((sum, value, at) => sum + value * point[at], 0) / reach;
  const least = () => Math.min(canvas.clientWidth, canvas.clientHeight);
  function draw() {
    due = 0;
    const ratio = devicePixelRatio, width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const scale = view.zoom * least() * ratio, turn = axes(view);
    paint(width, height, ratio, [0, 1, 2].flatMap((at) => turn.map((axis) => axis[at] / reach)),
      [view.x, view.y, scale / width, scale / height]);
    if (!host.dataset.drawn) performance.mark("viewer drawn");
    host.dataset.drawn = 1 + (+host.dataset.drawn || 0);
  }
  const redraw = () => { due ||= requestAnimationFrame(draw); };
  function set(change) {
    Object.assign(view, change);
    view.e = clamp(view.e, -90, 90);
    view.zoom = clamp(view.zoom, 0.4, 200);
    redraw();
  }
  function fly(to, atOnce) {
    const from = { ...view }, began = performance.now();
    to.a = from.a + (((to.a - from.a) % 360) + 540) % 360 - 180;
    cancelAnimationFrame(flight);
    if (atOnce || matchMedia("(prefers-reduced-motion: reduce)").matches) return set(to);
    const step = (now) => {
      const part = clamp((now - began) / FLIGHT_MS, 0, 1), eased = part * part * (3 - 2 * part);
      set(Object.fromEntries(Object.keys(to).map((key) => [key, from[key] + (to[key] - from[key]) * eased])));
      if (part < 1) flight = requestAnimationFrame(step);
    };
    flight = requestAnimationFrame(step);
  }
  return {
    redraw,
    turn(a, e) { set({ a: view.a + a, e: view.e + e }); },
    zoom(by) { set({ zoom: view.zoom * by }); },
    pan(x, y) {
      const mm = 2 / (view.zoom * least());
      set({ x: view.x - x * mm, y: view.y + y * mm });
    },
    home(atOnce) {
      const to = { a: AZIMUTH, e: ELEVATION, x: 0, y: 0 };
      const [right, up] = axes(to).map((axis) => along(axis.map(Math.abs), mesh.size) / 2);
      fly({ ...to, zoom: 0.92 * Math.min(canvas.clientWidth / right, canvas.clientHeight / up) / least() }, atOnce);
    },
    show({ center, length }) { // from the side of the part where the hole is
      const side = center.map((at, axis) => 2 * at / (mesh.size[axis] || 1)), most = Math.max(...side.map(Math.abs));
      const [x, y, z] = side.map((at) => (Math.abs(at) > 0.8 * most ? at : 0.35 * at)), flat = Math.hypot(x, y);
      const a = flat > 1e-3 ? Math.atan2(y, x) / radians + 20 : AZIMUTH;
      const e = clamp(Math.atan2(z, flat) / radians + (z < -0.5 ? -12 : 12), -62, 62);
      const [right, up] = axes({ a, e });
      fly({ a, e, x: along(right, center), y: along(up, center), zoom: clamp(0.7 * reach / length, 1, 12) });
    },
  };
}

function listen(canvas, eye, keys) {
  const held = new Map();
  const apart = () => {
    const [p, q] = [...held.values()];
    return Math.hypot(p[0] - q[0], p[1] - q[1]) || 1;
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, [event.clientX, event.clientY]);
  };
  canvas.onpointermove = (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const two = held.size > 1, was = two && apart(), x = event.clientX - before[0], y = event.clientY - before[1];
    held.set(event.pointerId, [event.clientX, event.clientY]);
    if (two) eye.zoom(apart() / was);
    if (two) eye.pan(x / 2, y / 2);
    else if (event.shiftKey || event.buttons & 6) eye.pan(x, y);
    else eye.turn(-x / 2, y / 2);
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => held.delete(event.pointerId);
  canvas.oncontextmenu = (event) => event.preventDefault();
  canvas.onwheel = (event) => {
    event.preventDefault();
    eye.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)));
  };
  canvas.onkeydown = (event) => {
    const act = !(event.ctrlKey || event.metaKey || event.altKey) && keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
}

async function open(host, signal) {
  const picture = host.querySelector("img"), status = make("p", { className: "viewer-status", role: "status" });
  const canvas = make("canvas", { tabIndex: 0, role: "application" }), gl = canvas.getContext("webgl2");
  host.append(status);
  status.textContent = gl ? "Loading the 3D view…" : "This browser has no WebGL2. The picture shows the part.";
  if (!gl) return;
  try {
    const mesh = await load(host.getAttribute("mesh"), signal), { holes, shown, whole } = mesh;
    const eye = camera(host, canvas, mesh, painter(gl, mesh)), bar = make("div", { className: "viewer-bar" });
    const number = (value) => value.toLocaleString("en");
    let at = -1;
    const home = (atOnce) => {
      at = -1;
      status.textContent = (mesh.openEdges && !mesh.edges.length ? "There are too many open edges to mark them. " : "")
        + (shown < whole ? `Shown with ${number(shown)} of ${number(whole)} facets.` : "");
      eye.home(atOnce === true);
    };
    const next = () => {
      if (!holes.length) return;
      at = (at + 1) % holes.length;
      eye.show(holes[at]);
      status.textContent = `Place ${at + 1} of ${holes.length}: ${holes[at].kind} near ${holes[at].text}.`;
    };
    if (holes.length) bar.append(button("Next hole", next));
    bar.append(button("Whole part", home));
    canvas.ariaLabel = `3D view of ${host.getAttribute("name")}. Arrow keys turn it, plus and minus zoom, `
      + "N shows the next hole, 0 the whole part.";
    status.before(canvas, bar);
    picture?.toggleAttribute("hidden", true);
    canvas.addEventListener("webglcontextlost", () => {
      picture?.toggleAttribute("hidden", false);
      canvas.remove();
      bar.remove();
    });
    const turn = (a, e) => () => eye.turn(a, e), zoom = (by) => () => eye.zoom(by);
    listen(canvas, eye, {
      ArrowLeft: turn(-10, 0), ArrowRight: turn(10, 0), ArrowUp: turn(0, 10), ArrowDown: turn(0, -10),
      "+": zoom(1.25), "=": zoom(1.25), "-": zoom(0.8), n: next, N: next, 0: home, Home: home,
    });
    new ResizeObserver(eye.redraw).observe(canvas);
    home(true);
  } catch (error) {
    if (!signal.aborted) status.textContent = `No 3D view: ${error.message}`;
  }
  signal.addEventListener("abort", () => gl.getExtension("WEBGL_lose_context")?.loseContext());
}

customElements.define("part-viewer", class extends HTMLElement {
  connectedCallback() {
    this.left = new AbortController();
    const start = () => open(this, this.left.signal), show = button("Show in 3D", () => { show.remove(); start(); });
    if (matchMedia("(max-width: 600px)").matches) this.append(show);
    else start();
  }

  disconnectedCallback() {
    this.left.abort();
  }
});
