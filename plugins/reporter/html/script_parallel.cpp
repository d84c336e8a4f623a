// Lines over parallel axes: what the nearest says, and only those that pass through what was marked on axes.

#include "script.hpp"

namespace osteon::report {

const char* const kScriptParallel = R"js(
const parallel = (figure) => {
  const {stage, svg, data, tip} = parts(figure);
  const links = [...svg.querySelectorAll('.lines a')], marked = data.axes.map(() => null);
  for (const title of svg.querySelectorAll('.lines title')) title.remove();
  const boxes = data.axes.map((x) => inSvg(svg, 'rect', {class: 'brush', x: x - 9, width: 18, y: 0, height: 0}));
  let dragged = null;

  const raise = (i) => {
    links.forEach((link, k) => link.classList.toggle('raised', k === i));
    if (i < 0) tip.hide();
  };
  const tell = (i, x, y) => {
    raise(i);
    tip.show(x, y, [line(data.lines[i].name, 'head'), ...data.lines[i].says.map((words) => line(words))]);
  };
  const passes = (lines) => marked.every((mark, a) =>
      !mark || (lines.y[a] !== null && lines.y[a] >= mark[0] && lines.y[a] <= mark[1]));
  const filter = () => links.forEach((link, i) => link.classList.toggle('faint', !passes(data.lines[i])));

  const nearest = (at) => {
    let best = -1, least = 12;
    data.lines.forEach(({y}, i) => {
      if (links[i].classList.contains('faint')) return;
      for (let a = 0; a + 1 < y.length; ++a) {
        const [x0, x1] = [data.axes[a], data.axes[a + 1]];
        if (y[a] === null || y[a + 1] === null || at.x < x0 - 4 || at.x > x1 + 4) continue;
        const share = Math.max(0, Math.min(1, (at.x - x0) / (x1 - x0)));
        const far = Math.abs(y[a] + share * (y[a + 1] - y[a]) - at.y);
        if (far < least) { least = far; best = i; }
      }
    });
    return best;
  };
  svg.addEventListener('pointermove', (event) => {
    const at = place(svg, event);
    if (dragged) {
      const ends = [dragged.from, at.y].map((y) => Math.max(data.top, Math.min(data.bottom, y))).sort((a, b) => a - b);
      marked[dragged.axis] = ends[1] - ends[0] > 3 ? ends : null;
      boxes[dragged.axis].setAttribute('y', ends[0]);
      boxes[dragged.axis].setAttribute('height', marked[dragged.axis] ? ends[1] - ends[0] : 0);
      return filter();
    }
    const best = nearest(at);
    if (best < 0) return raise(-1);
    tell(best, at.x * at.scale, at.y * at.scale);
  });
  svg.addEventListener('pointerleave', () => raise(-1));
  svg.addEventListener('pointerdown', (event) => {
    const at = place(svg, event), axis = data.axes.findIndex((x) => Math.abs(x - at.x) <= 10);
    if (axis < 0 || at.y < data.top - 10) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    dragged = {axis, from: at.y};
    marked[axis] = null;
    boxes[axis].setAttribute('height', 0);
    raise(-1);
    filter();
  });
  svg.addEventListener('pointerup', () => { dragged = null; });
  svg.addEventListener('click', (event) => {
    const at = place(svg, event), best = nearest(at);
    if (best < 0 || data.axes.some((x) => Math.abs(x - at.x) <= 10)) return event.preventDefault();
    event.preventDefault();
    location.assign(links[best].getAttribute('href'));
  });
  links.forEach((link, i) => {
    link.addEventListener('focus', () => {
      const a = data.lines[i].y.findIndex((y) => y !== null), scale = stage.clientWidth / svg.viewBox.baseVal.width;
      if (a >= 0) tell(i, data.axes[a] * scale, data.lines[i].y[a] * scale);
    });
    link.addEventListener('blur', () => raise(-1));
  });
};

)js";

}  // namespace osteon::report
