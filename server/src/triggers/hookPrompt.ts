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

const ERROR_TEMPLATE =
  'An error was reported from where this repository runs. Find its cause in the code and repair it, with a test that shows the ' +
  'error where the repository has tests. Repair the cause: do not hide the error. If the cause is not in this repository, change ' +
  'nothing and say so. What runs may be of another release than what you see.';

const END =
  'Do not commit or push: that is done by a person. Where something essential is unclear, choose what is most sensible ' +
  'and say so. End with a short summary of what you did and why.';

export interface Filled {
  text: string;
  /** The fields that the template names and the webhook does not have. */
  unknown: string[];
}

/** What is handed over whole, and what the agent is told about it where the operator says nothing. */
export interface Material {
  what: string;
  text: string;
  template: string;
  title: string;
}

export function hookMaterial(name: string, body: unknown): Material {
  const text = JSON.stringify(mapTexts(body, visibleText), undefined, 1);
  return { what: `webhook ${name}`, text, template: DEFAULT_TEMPLATE, title: name };
}

export function errorMaterial(sender: string, { title, text }: { title: string; text: string }): Material {
  // What was reported is no template.
  return { what: `error by ${sender}`, text, template: ERROR_TEMPLATE, title: title.replaceAll('{{', '{ {') };
}

/** @param key of the delivery: fences are made of it */
export function hookPrompt(key: string, template: string | undefined, body: unknown, whole: Material): Filled {
  const asked = template === undefined || template.trim() === '' ? whole.template : template;
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
  return {
    text: [sentences, ABOUT_MATERIAL, ...fields, material(key, whole.what, whole.text), END].join('\n\n'),
    unknown,
  };
}

/** For lists: one line, with the fields in it. */
export function hookTitle(template: string, body: unknown): string {
  const filled = template.replace(PLACEHOLDER, (_whole, path: string) => {
    const value = fieldAt(body, path);
    return value === undefined ? '?' : cut(textOf(value), MAX_TITLE_CHARS);
  });
  return visibleText(filled).replace(/\s+/g, ' ').trim().slice(0, MAX_TITLE_CHARS);
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
