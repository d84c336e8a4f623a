// What all parts of the script use.

#include "script.hpp"

namespace osteon::report {

const char* const kScriptTools = R"js(
const reach = 24;  // pixels within which a point is the one that is meant

const make = (tag, name, parent, words) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (words !== undefined) element.textContent = words;
  if (parent) parent.append(element);
  return element;
};

const inSvg = (svg, tag, attributes) => {
  const element = document.createElementNS(svg.namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  svg.append(element);
  return element;
};

// Where the pointer is, in the picture's units, and how many pixels such a unit has.
const place = (svg, event) => {
  const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
  return {x: (event.clientX - box.left) / scale, y: (event.clientY - box.top) / scale, scale};
};

// A small panel that says what is under the pointer and stays within the stage.
const panel = (stage) => {
  const tip = make('div', 'tip', stage);
  tip.hidden = true;
  return {
    hide: () => { tip.hidden = true; },
    show: (x, y, parts) => {
      tip.replaceChildren(...parts);
      tip.hidden = false;
      const left = x + 14 + tip.offsetWidth > stage.clientWidth ? x - 14 - tip.offsetWidth : x + 14;
      tip.style.left = Math.max(0, Math.min(left, stage.clientWidth - tip.offsetWidth)) + 'px';
      tip.style.top = Math.max(0, y - tip.offsetHeight - 8) + 'px';
    },
  };
};

const line = (words, name) => make('div', name, null, words);
const text = (value) => String(+value.toPrecision(4)).replace('-', '\u2212');

const parts = (figure) => {
  const stage = figure.querySelector('.stage'), block = figure.querySelector('script');
  if (!stage || !block) return null;
  const svg = stage.querySelector('svg');
  for (const title of svg.querySelectorAll('.series title, use > title')) title.remove();  // the panel says it better
  return {stage, svg, data: JSON.parse(block.textContent), tip: panel(stage)};
};

// matplotlib's viridis, at nine even steps.
const viridis = [[68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128],
                 [94, 201, 98], [173, 220, 48], [253, 231, 37]];
const viridisAt = (share) => {
  const at = Math.max(0, Math.min(1, share)) * 8, below = Math.min(7, Math.floor(at));
  return viridis[below].map((low, k) => Math.round(low + (viridis[below + 1][k] - low) * (at - below)));
};
const shade = (share) => 'rgb(' + viridisAt(share).join(' ') + ')';

)js";

}  // namespace osteon::report
