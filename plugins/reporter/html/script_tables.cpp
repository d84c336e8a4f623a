// Tables that sort by a click on a column's name.

#include "script.hpp"

namespace osteon::report {

const char* const kScriptTables = R"js(
// Once: the best side of numbers that have one, else ascending; twice: the other way; three times: as it was. Cells
// without a number come last either way.
const sortable = (table) => {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    const cell = row.cells[column], number = cell.dataset.v;
    return number === undefined ? cell.textContent.trim() : number === '' ? NaN : +number;
  };
  const compared = (a, b, sign) => {
    if (typeof a === 'number' && typeof b === 'number')
      return Number.isNaN(a) || Number.isNaN(b) ? Number.isNaN(a) - Number.isNaN(b) : sign * (a - b);
    return sign * String(a).localeCompare(String(b), 'en', {numeric: true});
  };
  heads.forEach((head, column) => {
    const first = head.querySelector('.arrow')?.textContent === '\u2191' ? 'descending' : 'ascending';
    const order = [first, first === 'ascending' ? 'descending' : 'ascending', 'none'];
    const button = make('button', 'sort');
    button.type = 'button';
    button.append(...head.childNodes);
    if (!button.textContent.trim()) button.setAttribute('aria-label', 'names');
    head.append(button);
    head.setAttribute('aria-sort', 'none');
    button.addEventListener('click', () => {
      const next = order[(order.indexOf(head.getAttribute('aria-sort')) + 1) % 3];
      for (const other of heads) other.setAttribute('aria-sort', other === head ? next : 'none');
      const sign = next === 'ascending' ? 1 : -1;
      const sorted = next === 'none' ? rows : [...rows].sort((a, b) => compared(key(a, column), key(b, column), sign));
      body.append(...sorted);
    });
  });
};
)js";

}  // namespace osteon::report
