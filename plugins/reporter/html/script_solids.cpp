// True and predicted bones that one can turn: WebGL, an orthographic eye, one lamp. A slider fades one bone into the
// other: each is drawn nearest surface first, and what is seen of each is added with its share.

#include "script.hpp"

namespace osteon::report {

const char* const kScriptSolids = R"js(
const bytesOf = (words) => Uint8Array.from(atob(words), (letter) => letter.charCodeAt(0)).buffer;

// Places in millimetres, normals and colours of a mesh that was sent in whole numbers.
const meshOf = (sent, most) => {
  const whole = new Int16Array(bytesOf(sent.vertices)), index = new Uint16Array(bytesOf(sent.triangles));
  const at = Float32Array.from(whole, (value, i) => sent.centre[i % 3] + value * sent.scale);
  const normal = new Float32Array(at.length);
  for (let t = 0; t < index.length; t += 3) {
    const [a, b, c] = [3 * index[t], 3 * index[t + 1], 3 * index[t + 2]];
    const u = [0, 1, 2].map((k) => at[b + k] - at[a + k]), v = [0, 1, 2].map((k) => at[c + k] - at[a + k]);
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    for (const corner of [a, b, c]) for (const k of [0, 1, 2]) normal[corner + k] += n[k];
  }
  const colour = new Uint8Array(at.length);
  const distance = sent.distance && new Uint16Array(bytesOf(sent.distance));
  for (let i = 0; i < at.length / 3; ++i)
    colour.set(!distance ? [229, 219, 199] : distance[i] === 65535 ? [153, 153, 153] : viridisAt(distance[i] / 100 / most),
               3 * i);
  return {at, normal, colour, index};
};

const kVertex = `
attribute vec3 at, normal, colour;
uniform mat3 turn;
uniform vec3 middle, scale, shift;
varying vec3 facing, paint;
invariant gl_Position;
void main() {
  gl_Position = vec4(turn * (at - middle) * scale + shift, 1.0);
  facing = turn * normal;
  paint = colour;
}`;
const kFragment = `
precision mediump float;
uniform float share;
varying vec3 facing, paint;
void main() {
  vec3 n = normalize(facing);
  float lit = dot(n.z < 0.0 ? -n : n, normalize(vec3(-0.55, 0.45, 1.0)));
  gl_FragColor = vec4(paint * (0.42 + 0.58 * max(lit, 0.0)), 1.0) * share;
}`;

const programOf = (gl) => {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, kVertex], [gl.FRAGMENT_SHADER, kFragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
};

// Draws meshes; null where the browser cannot.
const painter = (canvas) => {
  const gl = canvas.getContext('webgl', {antialias: true, preserveDrawingBuffer: true});
  const program = gl && programOf(gl);
  if (!program) return null;
  const place = (name) => gl.getUniformLocation(program, name);
  const buffer = (target, data) => {
    const made = gl.createBuffer();
    gl.bindBuffer(target, made);
    gl.bufferData(target, data, gl.STATIC_DRAW);
    return made;
  };
  gl.useProgram(program);
  gl.enable(gl.DEPTH_TEST);
  gl.depthFunc(gl.LEQUAL);
  gl.blendFunc(gl.ONE, gl.ONE);
  return {
    load: (mesh) => ({count: mesh.index.length, index: buffer(gl.ELEMENT_ARRAY_BUFFER, mesh.index),
                      lists: [['at', gl.FLOAT, false], ['normal', gl.FLOAT, false],
                              ['colour', gl.UNSIGNED_BYTE, true]].map(([name, type, whole]) =>
                          [gl.getAttribLocation(program, name), buffer(gl.ARRAY_BUFFER, mesh[name]), type, whole])}),
    // `view`: turn, middle, scale, shift; `layers`: loaded meshes with their shares, which add up to 1.
    draw: (view, layers) => {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniformMatrix3fv(place('turn'), false, view.turn);
      for (const name of ['middle', 'scale', 'shift']) gl.uniform3fv(place(name), view[name]);
      for (const [mesh, share] of layers) {
        if (share === 0) continue;
        for (const [where, list, type, whole] of mesh.lists) {
          gl.bindBuffer(gl.ARRAY_BUFFER, list);
          gl.enableVertexAttribArray(where);
          gl.vertexAttribPointer(where, 3, type, whole, 0, 0);
        }
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, mesh.index);
        gl.clear(gl.DEPTH_BUFFER_BIT);
        gl.colorMask(false, false, false, false);
        gl.disable(gl.BLEND);
        gl.drawElements(gl.TRIANGLES, mesh.count, gl.UNSIGNED_SHORT, 0);
        gl.colorMask(true, true, true, true);
        gl.enable(gl.BLEND);
        gl.uniform1f(place('share'), share);
        gl.drawElements(gl.TRIANGLES, mesh.count, gl.UNSIGNED_SHORT, 0);
      }
    },
  };
};

// Sides from which bones are looked at: turned about the long axis, then towards the eye; degrees.
const kSides = [['front', 0, 0], ['lateral', 90, 0], ['back', 180, 0], ['medial', 270, 0], ['above', 0, 90]];

const solid = (figure) => {
  const data = JSON.parse(figure.querySelector('script').textContent);
  const canvas = figure.querySelector('canvas'), paint = painter(canvas);
  figure.hidden = false;
  if (!paint) {
    canvas.replaceWith(line('This browser has no WebGL, which turning needs; the pictures below show the same.', 'quiet'));
    return;
  }
  const named = (role) => figure.querySelector('[data-role="' + role + '"]');
  const choice = named('pair'), fade = named('fade'), about = named('about'), sides = named('sides');
  const loaded = data.meshes.map(() => null), places = [];
  const mesh = (i) => {
    if (!loaded[i]) {
      const made = meshOf(data.meshes[i], data.most);
      places[i] = made.at;
      loaded[i] = paint.load(made);
    }
    return loaded[i];
  };
  let pair, box, asked = false;
  const eye = {about: 0, tilt: 0, zoom: 1, x: 0, y: 0};

  const draw = () => {
    asked = false;
    const width = canvas.clientWidth, height = canvas.clientHeight, dots = window.devicePixelRatio || 1;
    if (!width) return;
    if (canvas.width !== Math.round(width * dots)) canvas.width = Math.round(width * dots);
    if (canvas.height !== Math.round(height * dots)) canvas.height = Math.round(height * dots);
    const [ca, sa, ct, st] = [Math.cos(eye.about), Math.sin(eye.about), Math.cos(eye.tilt), Math.sin(eye.tilt)];
    // Columns: where the bone's medial, anterior and proximal axes go, in the picture's right, up and towards the eye.
    const turn = [ca, sa * st, -sa * ct, sa, -ca * st, ca * ct, 0, ct, st];
    const pixels = eye.zoom * Math.min(width / (1.06 * box.wide), height / (1.06 * box.high));  // of a millimetre
    const share = fade.value / 100;
    paint.draw({turn, middle: box.middle, scale: [2 * pixels / width, 2 * pixels / height, -1 / box.far],
                shift: [2 * eye.x / width, 2 * eye.y / height, 0]},
               [[mesh(pair.predicted), 1 - share], [mesh(pair.truth), share]]);
    figure.dataset.drawn = 'yes';
    const bar = named('scale');
    const long = [200, 100, 50, 20, 10, 5, 2, 1].find((mm) => mm * pixels <= 0.35 * width) || 1;
    bar.firstElementChild.style.width = long * pixels + 'px';
    bar.lastElementChild.textContent = long + ' mm';
  };
  const ask = () => { if (!asked) { asked = true; requestAnimationFrame(draw); } };
  const look = (about, tilt) => { Object.assign(eye, {about, tilt, zoom: 1, x: 0, y: 0}); ask(); };
  const choose = () => {
    pair = data.pairs[choice.selectedIndex];
    mesh(pair.truth);
    mesh(pair.predicted);
    const low = [1e9, 1e9, 1e9], high = [-1e9, -1e9, -1e9];
    for (const list of [places[pair.truth], places[pair.predicted]])
      list.forEach((value, i) => {
        low[i % 3] = Math.min(low[i % 3], value);
        high[i % 3] = Math.max(high[i % 3], value);
      });
    const size = low.map((value, k) => Math.max(high[k] - value, 1e-3));
    box = {middle: low.map((value, k) => (value + high[k]) / 2), wide: Math.hypot(size[0], size[1]),
           high: Math.max(size[2], Math.hypot(size[0], size[1])), far: Math.hypot(...size)};
    about.textContent = pair.about;
    ask();
  };

  choice.addEventListener('change', choose);
  fade.addEventListener('input', ask);
  for (const [name, about, tilt] of kSides) {
    const button = make('button', '', sides, name);
    button.type = 'button';
    button.addEventListener('click', () => look(about * Math.PI / 180, tilt * Math.PI / 180));
  }
  const turn = (x, y) => {
    eye.about += x / 110;
    eye.tilt = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, eye.tilt + y / 110));
    ask();
  };
  const move = (x, y) => { eye.x += x; eye.y -= y; ask(); };
  const zoom = (factor) => { eye.zoom = Math.max(0.5, Math.min(20, eye.zoom * factor)); ask(); };

  const fingers = new Map();
  const gap = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  canvas.addEventListener('pointerdown', (event) => {
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    const before = fingers.size === 2 ? gap() : 0, x = event.clientX - last[0], y = event.clientY - last[1];
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (before > 0) {
      zoom(gap() / before);
      move(x / 2, y / 2);
    } else if (event.shiftKey) {
      move(x, y);
    } else {
      turn(x, y);
    }
  });
  for (const end of ['pointerup', 'pointercancel'])
    canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener('dblclick', () => look(0, 0));
  canvas.addEventListener('wheel', (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;  // the page scrolls
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400));
  }, {passive: false});
  const keys = {ArrowLeft: [-20, 0], ArrowRight: [20, 0], ArrowUp: [0, -20], ArrowDown: [0, 20]};
  canvas.addEventListener('keydown', (event) => {
    if (keys[event.key]) (event.shiftKey ? move : turn)(...keys[event.key]);
    else if (event.key === '+' || event.key === '=') zoom(1.25);
    else if (event.key === '-') zoom(0.8);
    else if (event.key === '0' || event.key === 'Home') look(0, 0);
    else return;
    event.preventDefault();
  });
  document.querySelectorAll('button.turn').forEach((button) => {
    button.hidden = false;
    button.addEventListener('click', () => {
      choice.selectedIndex = +button.dataset.pair;
      choose();
      figure.scrollIntoView({block: 'center'});
      canvas.focus({preventScroll: true});
    });
  });
  new ResizeObserver(ask).observe(canvas);
  choose();
};
)js";

}  // namespace osteon::report
