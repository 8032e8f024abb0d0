// <part-viewer mesh="URL" label="..."><img ...></part-viewer>: the picture stays where WebGL2 is missing.
// Outside gray, inside orange, open edges red, or pale behind the part. Draws only when something changes.

const EDGE_PX = 2.5, RED = [0.878, 0, 0.141, 1], PALE = [1, 0.588, 0.647, 0.65];
const AZIMUTH = -Math.PI / 3, ELEVATION = Math.PI / 6;
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const make = (tag, values) => Object.assign(document.createElement(tag), values);
const button = (textContent, onclick) => make("button", { type: "button", textContent, onclick });

const FACETS = [`#version 300 es
layout(location = 0) in vec3 p; uniform mat3 turn; uniform vec4 fit; out vec3 v;
void main() { v = turn * p; gl_Position = vec4((v.xy - fit.xy) * fit.zw, v.z, 1); }`,
`#version 300 es
precision highp float; in vec3 v; out vec4 c;
void main() {
  vec3 n = normalize(cross(dFdx(v), dFdy(v)));
  float light = .725 + .275 * dot(n.z > 0. ? -n : n, normalize(vec3(-.35, .6, -.75)));
  c = vec4((gl_FrontFacing ? vec3(.729, .784, .839) : vec3(1, .588, .118)) * light, 1);
}`], EDGES = [`#version 300 es
layout(location = 0) in vec3 a; layout(location = 1) in vec3 b; uniform mat3 turn; uniform vec4 fit; uniform vec4 stroke;
void main() {
  vec3 p = turn * a, q = turn * b; p.xy = (p.xy - fit.xy) * fit.zw; q.xy = (q.xy - fit.xy) * fit.zw;
  vec2 d = (q.xy - p.xy) / stroke.xy; float l = length(d); d = l > 0. ? d / l : vec2(1, 0);
  float end = float(gl_VertexID & 1), side = float(gl_VertexID >> 1) * 2. - 1.;
  vec3 at = mix(p, q, end); at.xy += (d * (end * 2. - 1.) + vec2(-d.y, d.x) * side) * stroke.z * stroke.xy;
  gl_Position = vec4(at.xy, at.z - stroke.w, 1);
}`, `#version 300 es
precision mediump float; uniform vec4 color; out vec4 c;
void main() { c = vec4(color.rgb * color.a, color.a); }`];

async function load(url) {
  for (;;) {
    const reply = await fetch(url);
    if (reply.status === 202) await new Promise((done) => setTimeout(done, 1000));
    else if (!reply.ok) throw new Error(await reply.text() || reply.status);
    else {
      const buffer = await reply.arrayBuffer(), [shown, , edges] = new Uint32Array(buffer, 0, 3);
      const edgesAt = 16 + 36 * shown, textAt = edgesAt + 24 * edges;
      return {
        facets: new Float32Array(buffer, 16, 9 * shown), edges: new Float32Array(buffer, edgesAt, 6 * edges),
        ...JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, textAt))),
      };
    }
  }
}

function painter(gl, { facets, edges }) {
  const layer = ([vertex, fragment], values, corners) => {
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    const array = gl.createVertexArray(), place = (name) => gl.getUniformLocation(program, name);
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    for (let at = 0; at < corners; at++) {
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 3, gl.FLOAT, false, 12 * corners, 12 * at);
      gl.vertexAttribDivisor(at, corners - 1);
    }
    return (turn, fit) => {
      gl.useProgram(program);
      gl.bindVertexArray(array);
      gl.uniformMatrix3fv(place("turn"), false, turn);
      gl.uniform4fv(place("fit"), fit);
      return place;
    };
  };
  const surface = layer(FACETS, facets, 1), rims = layer(EDGES, edges, 2);
  gl.enable(gl.DEPTH_TEST);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  return (width, height, turn, fit) => {
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    surface(turn, fit);
    gl.drawArrays(gl.TRIANGLES, 0, facets.length / 3);
    const place = rims(turn, fit);
    for (const [color, lift] of [[PALE, 0], [RED, 0.012]]) { // pale where the part hides them
      gl[lift ? "enable" : "disable"](gl.DEPTH_TEST);
      gl.uniform4fv(place("color"), color);
      gl.uniform4f(place("stroke"), 2 / width, 2 / height, EDGE_PX * devicePixelRatio / 2, lift);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, edges.length / 6);
    }
  };
}

function camera(host, canvas, mesh, paint) {
  const reach = Math.hypot(...mesh.size) / 2 || 1, view = { a: AZIMUTH, e: ELEVATION, x: 0, y: 0, zoom: 1 };
  let due = 0;
  const axes = ({ a, e }) => { // rows: right, up and away
    const [sa, ca, se, ce] = [Math.sin(a), Math.cos(a), Math.sin(e), Math.cos(e)];
    return [[-sa, ca, 0], [-ca * se, -sa * se, ce], [-ca * ce, -sa * ce, -se]];
  };
  const along = (axis, point) => axis.reduce((sum, value, at) => sum + value * point[at], 0) / reach;
  const least = () => Math.min(canvas.clientWidth, canvas.clientHeight);
  function draw() {
    due = 0;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * devicePixelRatio));
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const scale = view.zoom * Math.min(width, height), turn = axes(view);
    paint(width, height, [0, 1, 2].flatMap((at) => turn.map((axis) => axis[at] / reach)),
      [view.x, view.y, scale / width, scale / height]);
    host.dataset.drawn = 1 + (+host.dataset.drawn || 0);
  }
  const redraw = () => { due ||= requestAnimationFrame(draw); };
  function set(change) {
    Object.assign(view, change);
    view.e = clamp(view.e, -Math.PI / 2, Math.PI / 2);
    view.zoom = clamp(view.zoom, 0.4, 200);
    redraw();
  }
  return {
    redraw,
    turn(a, e) { set({ a: view.a + a, e: view.e + e }); },
    zoom(by) { set({ zoom: view.zoom * by }); },
    pan(x, y) {
      const mm = 2 / (view.zoom * least());
      set({ x: view.x - x * mm, y: view.y + y * mm });
    },
    home() {
      set({ a: AZIMUTH, e: ELEVATION, x: 0, y: 0 });
      const [right, up] = axes(view).map((axis) => along(axis.map(Math.abs), mesh.size) / 2);
      set({ zoom: 0.92 * Math.min(canvas.clientWidth / right, canvas.clientHeight / up) / least() });
    },
    show({ center, length }) { // from the side of the part where the hole is, a little from above or below
      const [x, y, z] = center.map((at, axis) => at / (mesh.size[axis] || 1)), flat = Math.hypot(x, y);
      const a = flat > 1e-3 ? Math.atan2(y, x) + 0.35 : AZIMUTH;
      const e = clamp(Math.atan2(z, flat) + (z < -0.2 ? -0.2 : 0.2), -1.1, 1.1), [right, up] = axes({ a, e });
      set({ a, e, x: along(right, center), y: along(up, center), zoom: clamp(0.7 * reach / length, 1, 12) });
    },
  };
}

function listen(canvas, eye, keys) {
  const held = new Map(); // the last event of each finger that is down
  const apart = () => {
    const [p, q = p] = [...held.values()];
    return Math.hypot(p.clientX - q.clientX, p.clientY - q.clientY) || 1;
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, event);
  };
  canvas.onpointermove = (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const was = apart(), x = event.clientX - before.clientX, y = event.clientY - before.clientY;
    held.set(event.pointerId, event);
    eye.zoom(apart() / was);
    if (held.size > 1 || event.shiftKey || event.buttons & 6) eye.pan(x / held.size, y / held.size);
    else eye.turn(-x / 115, y / 115);
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => held.delete(event.pointerId);
  canvas.oncontextmenu = (event) => event.preventDefault();
  canvas.onwheel = (event) => {
    event.preventDefault();
    eye.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)));
  };
  canvas.onkeydown = (event) => {
    const act = !(event.ctrlKey || event.metaKey || event.altKey) && keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  };
}

async function open(host) {
  const picture = host.querySelector("img"), status = make("p", { className: "viewer-status", role: "status" });
  const canvas = make("canvas", { tabIndex: 0, role: "application" }), gl = canvas.getContext("webgl2");
  host.append(status);
  status.textContent = gl ? "Loading the 3D view…" : "This browser has no WebGL2. The picture shows the part.";
  if (!gl) return;
  try {
    const mesh = await load(host.getAttribute("mesh")), { holes } = mesh;
    const eye = camera(host, canvas, mesh, painter(gl, mesh)), bar = make("div", { className: "viewer-bar" });
    let at = -1;
    const home = () => {
      at = -1;
      status.textContent = mesh.note;
      eye.home();
    };
    const next = () => {
      if (!holes.length) return;
      at = (at + 1) % holes.length;
      eye.show(holes[at]);
      status.textContent = `Place ${at + 1} of ${holes.length}: ${holes[at].kind} near ${holes[at].text}.`;
    };
    if (holes.length) bar.append(button("Next hole", next));
    bar.append(button("Whole part", home));
    canvas.ariaLabel = host.getAttribute("label");
    status.before(canvas, bar);
    picture.hidden = true;
    canvas.addEventListener("webglcontextlost", () => {
      picture.hidden = false;
      canvas.remove();
      bar.remove();
    });
    const turn = (a, e) => () => eye.turn(a, e), zoom = (by) => () => eye.zoom(by);
    listen(canvas, eye, {
      arrowleft: turn(-0.2, 0), arrowright: turn(0.2, 0), arrowup: turn(0, 0.2), arrowdown: turn(0, -0.2),
      "+": zoom(1.25), "=": zoom(1.25), "-": zoom(0.8), n: next, 0: home,
    });
    new ResizeObserver(eye.redraw).observe(canvas);
    home();
  } catch (error) {
    status.textContent = `No 3D view: ${error.message}`;
  }
}

for (const host of document.querySelectorAll("part-viewer")) {
  const show = button("Show in 3D", () => { show.remove(); open(host); });
  if (matchMedia("(max-width: 600px)").matches) host.append(show);
  else open(host);
}
