// What the nearest point of a chart says.

#include "script.hpp"

namespace osteon::report {

const char* const kScriptCharts = R"js(
const chart = (figure) => {
  const found = parts(figure);
  if (!found) return;
  const {stage, svg, data, tip} = found;
  const ring = inSvg(svg, 'circle', {r: 5, class: 'ring', visibility: 'hidden'});
  let meant = '';  // where a click leads
  const leave = () => { meant = stage.style.cursor = ''; tip.hide(); ring.setAttribute('visibility', 'hidden'); };
  const look = (event) => {
    const at = place(svg, event);
    let best = null, least = reach / at.scale;
    for (const series of data.series)
      for (let i = 0; i < series.x.length; ++i) {
        const x = series.at[2 * i], y = series.at[2 * i + 1];
        const far = series.bars ? Math.abs(x - at.x) + (at.y < y ? Math.min(y - at.y, 40) / 4 : 0)
                                : Math.hypot(x - at.x, y - at.y);
        if (far < least) { least = far; best = {series, i, x, y}; }
      }
    if (!best) return leave();
    ring.setAttribute('cx', best.x);
    ring.setAttribute('cy', best.y);
    ring.setAttribute('visibility', 'visible');
    const {series, i} = best, says = [line(series.name, 'head')];
    const across = data.names.length ? data.names[series.x[i]] : text(series.x[i]);
    says.push(line(data.labels[0] + ': ' + across), line(data.labels[1] + ': ' + text(series.y[i])));
    if (series.hover.length) says.push(line(series.hover[i]));
    meant = series.link ? series.link[i] : '';
    stage.style.cursor = meant ? 'pointer' : '';
    tip.show(best.x * at.scale, best.y * at.scale, says);
  };
  stage.addEventListener('pointermove', look);
  stage.addEventListener('pointerdown', look);
  stage.addEventListener('pointerleave', leave);
  stage.addEventListener('click', () => { if (meant) location.assign(meant); });
};

)js";

}  // namespace osteon::report
