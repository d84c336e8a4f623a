// Collapsible sections: a link opens what it leads to, and print has all of them.

#include "script.hpp"

namespace osteon::report {

const char* const kScriptSections = R"js(
const opened = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
  target.scrollIntoView();
};
addEventListener('hashchange', opened);
opened();
let closed = [];
addEventListener('beforeprint', () => {
  closed = [...document.querySelectorAll('details:not([open])')];
  for (const one of closed) one.open = true;
});
addEventListener('afterprint', () => { for (const one of closed) one.open = false; });
)js";

}  // namespace osteon::report
