// Maps of embeddings: zoomed, coloured otherwise, with the X-ray behind a point.

#include "script.hpp"

namespace osteon::report {

const char* const kScriptMaps = R"js(
const map = (figure) => {
  const found = parts(figure);
  if (!found) return;
  const {stage, svg, data, tip} = found;
  const marks = [...svg.querySelectorAll('use')], legend = figure.querySelector('.keys');
  const byBone = [...legend.childNodes], bone = marks.map((mark) => mark.getAttribute('href'));
  const width = svg.viewBox.baseVal.width, height = svg.viewBox.baseVal.height;
  const view = {k: 1, x: 0, y: 0};
  const ring = inSvg(svg, 'circle', {r: 6, class: 'ring', visibility: 'hidden'});
  let shown = -1;

  // Zoom and drag: marks move apart but keep their size.
  const move = () => {
    view.k = Math.max(1, Math.min(60, view.k));
    view.x = Math.min(0, Math.max(width * (1 - view.k), view.x));
    view.y = Math.min(0, Math.max(height * (1 - view.k), view.y));
    marks.forEach((mark, i) => {
      mark.setAttribute('x', data.x[i] * view.k + view.x);
      mark.setAttribute('y', data.y[i] * view.k + view.y);
    });
    stage.classList.toggle('zoomed', view.k > 1);
    leave();
  };
  const zoom = (factor, x, y) => {
    const k = Math.max(1, Math.min(60, view.k * factor));
    view.x = x - (x - view.x) * k / view.k;
    view.y = y - (y - view.y) * k / view.k;
    view.k = k;
    move();
  };

  // What the point under the pointer shows.
  const picture = (i) => {
    const sheet = document.getElementById(data.sheet), [w, h] = data.tile, canvas = make('canvas');
    canvas.width = w;
    canvas.height = h;
    const tile = data.tile_of[i];
    canvas.getContext('2d').drawImage(sheet, tile % data.columns * w, Math.floor(tile / data.columns) * h, w, h,
                                      0, 0, w, h);
    const scale = Math.min(160 / w, 110 / h);
    canvas.style.width = w * scale + 'px';
    canvas.style.height = h * scale + 'px';
    return canvas;
  };
  const leave = () => { shown = -1; tip.hide(); ring.setAttribute('visibility', 'hidden'); };
  const look = (event) => {
    const at = place(svg, event);
    let best = -1, least = reach / at.scale;
    for (let i = 0; i < data.x.length; ++i) {
      const far = Math.hypot(data.x[i] * view.k + view.x - at.x, data.y[i] * view.k + view.y - at.y);
      if (far < least) { least = far; best = i; }
    }
    if (best < 0) return leave();
    if (best === shown) return;
    shown = best;
    const x = data.x[best] * view.k + view.x, y = data.y[best] * view.k + view.y;
    ring.setAttribute('cx', x);
    ring.setAttribute('cy', y);
    ring.setAttribute('visibility', 'visible');
    tip.show(x * at.scale, y * at.scale, [
      picture(best), line(data.bones[data.bone[best]], 'head'),
      line(data.role[best] + (data.held[best] ? ', never trained on' : '')),
      line('axial ' + text(data.axial[best]) + '\u00b0, tilt ' + text(data.tilt[best]) + '\u00b0'),
      line('in-plane ' + text(data.in_plane[best]) + '\u00b0, ' + text(data.energy[best]) + ' keV'),
      line('image ' + data.image[best])]);
  };

  // One finger scrolls the page until the map is zoomed; two zoom it.
  const fingers = new Map();
  let gap = 0;
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return {gap: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2};
  };
  svg.addEventListener('pointerdown', (event) => {
    fingers.set(event.pointerId, place(svg, event));
    if (fingers.size === 2) gap = spread().gap;
    look(event);
  });
  svg.addEventListener('pointermove', (event) => {
    const last = fingers.get(event.pointerId), at = place(svg, event);
    if (!last) return look(event);
    fingers.set(event.pointerId, at);
    if (fingers.size === 2) {
      const now = spread();
      if (gap > 0) zoom(now.gap / gap, now.x, now.y);
      gap = now.gap;
    } else if (view.k > 1 && Math.hypot(at.x - last.x, at.y - last.y) > 0) {
      if (!svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
      view.x += at.x - last.x;
      view.y += at.y - last.y;
      move();
    }
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave'])
    svg.addEventListener(end, (event) => { fingers.delete(event.pointerId); if (end !== 'pointerup') leave(); });
  svg.addEventListener('wheel', (event) => {
    if (view.k === 1 && event.deltaY > 0) return;  // nothing to zoom out of: the page scrolls
    event.preventDefault();
    const at = place(svg, event);
    zoom(Math.exp(-event.deltaY / 300), at.x, at.y);
  }, {passive: false});

  const buttons = make('div', 'zooms', stage);
  for (const [sign, label, act] of [['+', 'zoom in', () => zoom(1.6, width / 2, height / 2)],
                                    ['\u2212', 'zoom out', () => zoom(1 / 1.6, width / 2, height / 2)],
                                    ['\u21ba', 'show all', () => { view.k = 1; move(); }]]) {
    const button = make('button', '', buttons, sign);
    button.type = 'button';
    button.title = label;
    button.setAttribute('aria-label', label);
    button.addEventListener('click', act);
  }

  // Pointing at a bone's name quiets the others.
  const quiet = (chosen) => marks.forEach((mark, i) => mark.classList.toggle('faint', chosen >= 0 && data.bone[i] !== chosen));
  byBone.forEach((key, b) => {
    key.addEventListener('pointerenter', () => quiet(b));
    key.addEventListener('pointerleave', () => quiet(-1));
  });

  // Colours.
  const paint = (i, name, mark, colour) => {
    marks[i].setAttribute('class', name + (data.held[i] ? ' held' : ''));
    marks[i].setAttribute('href', mark);
    marks[i].style.fill = colour;
  };
  const key = (words, name) => {
    const item = make('span', 'key', legend), sample = make('i', 'dot ' + name, item);
    item.append(words);
    return sample;
  };
  const bones = () => {
    marks.forEach((mark, i) => paint(i, 'k' + data.bone[i] % 8, bone[i], ''));
    legend.replaceChildren(...byBone);
  };
  const classes = (of) => () => {
    const names = [...new Set(data.x.map((_, i) => of(i)))].sort();
    legend.replaceChildren();
    names.forEach((name, k) => key(name, 'k' + k % 8));
    marks.forEach((mark, i) => paint(i, 'k' + names.indexOf(of(i)) % 8, '#osteon-mark-0', ''));
  };
  const numbers = (values, unit) => () => {
    const low = Math.min(...values), high = Math.max(...values);
    marks.forEach((mark, i) => paint(i, '', '#osteon-mark-0', shade(high > low ? (values[i] - low) / (high - low) : 0.5)));
    legend.replaceChildren();
    make('span', '', legend, text(low) + unit);
    make('span', 'ramp', legend).style.background =
        'linear-gradient(90deg,' + viridis.map((_, k) => shade(k / 8)).join(',') + ')';
    make('span', '', legend, text(high) + unit);
  };
  const ways = [['bone', bones], ['axial angle', numbers(data.axial, '\u00b0')], ['tilt', numbers(data.tilt, '\u00b0')],
                ['in-plane angle', numbers(data.in_plane, '\u00b0')], ['energy', numbers(data.energy, ' keV')],
                ['role', classes((i) => data.role[i] + (data.held[i] ? ', never trained on' : ''))]];
  const label = make('label', 'colours', null, 'coloured by '), choice = make('select', '', label);
  for (const [name] of ways) make('option', '', choice, name);
  choice.value = 'bone';
  choice.addEventListener('change', () => { leave(); ways[choice.selectedIndex][1](); });
  stage.before(label);
};

)js";

}  // namespace osteon::report
