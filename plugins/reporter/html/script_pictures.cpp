// Pictures that are laid over others: heat maps over X-rays.

#include "script.hpp"

namespace osteon::report {

const char* const kScriptPictures = R"js(
// One slider for all pictures of a section: how much of what lies on top is seen.
const layered = (pictures) => {
  const tops = [...pictures.querySelectorAll('img.over')];
  if (!tops.length) return;
  const controls = make('p', 'layers'), label = make('label', '', controls), box = make('input', '', label);
  box.type = 'checkbox';
  box.checked = true;
  label.append(' ' + pictures.dataset.over);
  const strength = make('input', '', controls);
  strength.type = 'range';
  strength.max = 100;
  strength.value = 100;
  strength.setAttribute('aria-label', 'how much of it');
  const show = () => {
    strength.disabled = !box.checked;
    for (const top of tops) top.style.opacity = box.checked ? strength.value / 100 : 0;
  };
  box.addEventListener('change', show);
  strength.addEventListener('input', show);
  pictures.before(controls);
};
)js";

}  // namespace osteon::report
