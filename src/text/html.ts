/** HTML as a value: whatever is put into it is escaped, unless it is HTML already. */

import { escapeHtml } from './escape.ts';

export class Markup {
  readonly html: string;
  constructor(html: string) {
    this.html = html;
  }
}

export type Content = Markup | string | number | null | false | readonly Content[];

/** The tag of HTML templates: html`<td>${text}</td>`. Lists are joined, null and false show nothing. */
export function html(literals: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  let text = literals[0]!;
  contents.forEach((content, index) => {
    text += render(content) + literals[index + 1]!;
  });
  return new Markup(text);
}

function render(content: Content): string {
  if (content === null || content === false) return '';
  if (content instanceof Markup) return content.html;
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(content);
  return content.map(render).join('');
}
