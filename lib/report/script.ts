/**
 * The script of all reports. It makes the heads of tables into buttons that sort, and shows the filters. Without it, the
 * report is complete but not sorted. It only moves and hides elements, so that no name in a report becomes HTML.
 */
export const SCRIPT = `
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const isMissing = (cell) => cell.dataset.value === '';
  const compare = (a, b) => a.dataset.value === undefined
    ? a.textContent.localeCompare(b.textContent, undefined, { numeric: true })
    : Number(a.dataset.value) - Number(b.dataset.value);
  const sort = (table, column, sign) => {
    const [body] = table.tBodies;
    const rows = [...body.rows].sort((one, other) => {
      const [a, b] = [one.cells[column], other.cells[column]];
      return Number(isMissing(a)) - Number(isMissing(b)) || sign * compare(a, b);
    });
    body.append(...rows);
  };
  for (const table of all('table.scores')) {
    const heads = all('thead th', table);
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      const isNumber = table.tBodies[0].rows[0]?.cells[column].dataset.value !== undefined;
      const [first, second] = isNumber ? ['descending', 'ascending'] : ['ascending', 'descending'];
      button.addEventListener('click', () => {
        const order = head.getAttribute('aria-sort') === first ? second : first;
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', order);
        sort(table, column, order === 'ascending' ? 1 : -1);
      });
    });
  }
  const filters = document.getElementById('filters');
  if (!filters) return;
  const selects = all('select', filters);
  const elements = all('body [data-type], body [data-row], body [data-detector]').filter((one) => !filters.contains(one));
  const isHidden = (element, { name, value, selectedOptions }) => {
    const own = element.dataset[name];
    const isSummary = selectedOptions[0]?.dataset.summary !== undefined && !element.closest('.with-summaries');
    return value !== '' && own !== undefined && own !== value && !isSummary;
  };
  const apply = () => {
    // Elements of an SVG have no property of this name.
    for (const element of elements)
      element.toggleAttribute('hidden', selects.some((select) => isHidden(element, select)));
    const lines = all('#scores tbody tr');
    filters.querySelector('output').textContent =
      lines.filter((line) => !line.hidden).length + ' of ' + lines.length + ' lines';
  };
  filters.addEventListener('change', apply);
  filters.hidden = false;
  apply();
})();
`;
