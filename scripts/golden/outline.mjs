// The structure of a page as text: its headings, tables with their cells, notes, and every element that has an id.
// Styling, charts and the order of attributes are left out, so that a golden value survives a change of looks.
import { parse } from 'parse5';

/** Elements of which the outline gives the text, one a line. */
const TEXTS = new Set(['h1', 'h2', 'h3', 'h4', 'p', 'li', 'dt', 'dd', 'caption', 'figcaption', 'summary']);
const LEFT_OUT = new Set(['head', 'svg', 'style', 'script']);

/**
 * @param {string} html
 * @returns {string}
 */
export function outline(html) {
  const lines = [];
  const visit = (element) => {
    if (LEFT_OUT.has(element.tagName)) return;
    const named = nameOf(element);
    if (element.tagName === 'tr') {
      const cells = element.childNodes.filter(({ tagName }) => tagName === 'td' || tagName === 'th');
      lines.push(`| ${cells.map((cell) => `${cell.tagName === 'th' ? '*' : ''}${textOf(cell)}`).join(' | ')} |`);
    } else if (TEXTS.has(element.tagName)) {
      lines.push(`${named}: ${textOf(element)}`);
    } else {
      if (element.tagName === 'table' || named.includes('#')) lines.push('', named);
      for (const child of element.childNodes ?? []) visit(child);
    }
  };
  visit(parse(html));
  return `${lines.join('\n').trim()}\n`;
}

function nameOf({ tagName, attrs }) {
  const id = attrs?.find(({ name }) => name === 'id');
  return `${tagName}${id === undefined ? '' : `#${id.value}`}`;
}

function textOf(node) {
  if (node.nodeName === '#text') return node.value.replaceAll(/\s+/g, ' ').trim();
  if (LEFT_OUT.has(node.tagName)) return '';
  return (node.childNodes ?? []).map(textOf).filter(Boolean).join(' ');
}
