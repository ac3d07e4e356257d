import { ABOUT_MATERIAL, material, visibleText } from '../hooks/untrusted.ts';
import { fieldAt, mapTexts } from './boundedJson.ts';

/*
 * What the agent is told about a webhook. The template is the operator's and is instruction; what fills it came from
 * elsewhere and is handed over as material, never in the sentence itself. Pure: the same delivery gives the same text.
 */

const PLACEHOLDER = /\{\{\s*([^{}\s]{1,200})\s*\}\}/g;
const MAX_FIELDS = 30;
const MAX_FIELD_CHARS = 8_000;
const MAX_TITLE_CHARS = 180;

const DEFAULT_TEMPLATE =
  'A webhook came. Find out what it means for this repository and do what is needed here, with tests where the repository ' +
  'has tests. If nothing is to be done here, change nothing and say so.';

const END =
  'Do not commit or push: that is done by a person. Where something essential is unclear, choose what is most sensible ' +
  'and say so. End with a short summary of what you did and why.';

export interface Filled {
  text: string;
  /** The fields that the template names and the webhook does not have. */
  unknown: string[];
}

/** @param key of the delivery: fences are made of it */
export function hookPrompt(key: string, name: string, template: string | undefined, body: unknown): Filled {
  const asked = template === undefined || template.trim() === '' ? DEFAULT_TEMPLATE : template;
  const paths = [...new Set([...asked.matchAll(PLACEHOLDER)].map(([, path = '']) => path))];
  const shown = paths.slice(0, MAX_FIELDS);
  const unknown = paths.filter(path => fieldAt(body, path) === undefined);
  const fields = shown.map(path => {
    const value = fieldAt(body, path);
    return value === undefined
      ? `The webhook has no field ${label(path)}.`
      : material(key, `field ${label(path)}`, cut(textOf(value)));
  });
  const sentences = asked.replace(PLACEHOLDER, (_whole, path: string) => `${label(path)} (below)`).trim();
  const whole = material(key, `webhook ${name}`, JSON.stringify(mapTexts(body, visibleText), undefined, 1));
  return { text: [sentences, ABOUT_MATERIAL, ...fields, whole, END].join('\n\n'), unknown };
}

/** For lists: one line, with the fields in it. */
export function hookTitle(name: string, template: string | undefined, body: unknown): string {
  const filled = (template ?? name).replace(PLACEHOLDER, (_whole, path: string) => {
    const value = fieldAt(body, path);
    return value === undefined ? '?' : cut(textOf(value), MAX_TITLE_CHARS);
  });
  return visibleText(filled).replace(/\s+/g, ' ').trim().slice(0, MAX_TITLE_CHARS) || name;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(mapTexts(value, visibleText), undefined, 1);
}

function cut(text: string, maxChars = MAX_FIELD_CHARS): string {
  return text.length > maxChars ? `${text.slice(0, maxChars)}\n[... it was longer]` : text;
}

/** The operator's own word, but in backticks it must not end them. */
function label(path: string): string {
  return `\`${path.replaceAll('`', "'")}\``;
}
