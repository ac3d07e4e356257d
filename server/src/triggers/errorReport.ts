import { isRecord } from '../../../protocol/isRecord.ts';
import { visibleText } from '../hooks/untrusted.ts';
import { fieldAt } from './boundedJson.ts';

/* What Sentry and GlitchTip tell of an error, as text that fits. Pure; every field may be anything. */

const MAX_REPORT_CHARS = 20_000;
const MAX_EXCEPTIONS = 3;
const MAX_FRAMES = 40;
const MAX_BREADCRUMBS = 30;
const MAX_FIELD_CHARS = 1_000;

export interface ErrorReport {
  /** By which errors are told apart; undefined when it says none. */
  issue: string | undefined;
  title: string;
  text: string;
}

/**
 * What a webhook of Sentry's tells, by its resource.
 * @returns undefined for what is no error, or asks for nothing
 */
export function sentryReport(resource: string, payload: unknown): ErrorReport | undefined {
  const action = fieldAt(payload, 'action');
  switch (resource) {
    case 'event_alert':
      return action === 'triggered' ? eventReport(fieldAt(payload, 'data.event')) : undefined;
    case 'error':
      return action === 'created' ? eventReport(fieldAt(payload, 'data.error')) : undefined;
    case 'issue':
      return action === 'created' || action === 'unresolved' ? issueReport(fieldAt(payload, 'data.issue')) : undefined;
    default:
      return undefined;
  }
}

/** What an alert of GlitchTip's tells: the address of the issue, where it is and some of its tags, no stack. */
export function glitchtipReport(payload: unknown): ErrorReport | undefined {
  const issues = listAt(payload, 'attachments').filter(isRecord);
  const [first] = issues;
  if (!first) {
    return undefined;
  }
  const texts = issues
    .slice(0, 10)
    .map(issue =>
      lines([
        line('error', fieldAt(issue, 'title')),
        line('in', fieldAt(issue, 'text')),
        ...listAt(issue, 'fields').map(field => line(textOf(fieldAt(field, 'title')), fieldAt(field, 'value'))),
        line('page', fieldAt(issue, 'title_link')),
      ]),
    );
  return {
    issue: textOf(fieldAt(first, 'title_link')) || undefined,
    title: titleOf(fieldAt(first, 'title')),
    text: cut(texts.join('\n\n')),
  };
}

function eventReport(event: unknown): ErrorReport {
  // The last one is what was seen; those before it caused it.
  const exceptions = listAt(event, 'exception.values').toReversed();
  const [first] = exceptions;
  const named = [textOf(fieldAt(first, 'type')), textOf(fieldAt(first, 'value'))].filter(text => text !== '');
  const about = lines([
    line('title', fieldAt(event, 'title')),
    line('message', fieldAt(event, 'logentry.formatted') ?? fieldAt(event, 'message')),
    line('in', fieldAt(event, 'culprit')),
    line('release', fieldAt(event, 'release')),
    line('environment', fieldAt(event, 'environment')),
    line('platform', fieldAt(event, 'platform')),
    line('request', fieldAt(event, 'request.url')),
    line('page', fieldAt(event, 'web_url')),
  ]);
  const crumbs = listAt(event, 'breadcrumbs.values').slice(-MAX_BREADCRUMBS).map(breadcrumb);
  return {
    issue: issueOf(event),
    title: titleOf(fieldAt(event, 'title') ?? named.join(': ')),
    text: cut(
      [
        about,
        ...exceptions.slice(0, MAX_EXCEPTIONS).map(exception),
        ...(crumbs.length === 0 ? [] : [`before that:\n${crumbs.join('\n')}`]),
      ].join('\n\n'),
    ),
  };
}

function issueReport(issue: unknown): ErrorReport {
  return {
    issue: textOf(fieldAt(issue, 'id')) || undefined,
    title: titleOf(fieldAt(issue, 'title')),
    text: cut(
      lines([
        line('title', fieldAt(issue, 'title')),
        line('exception', fieldAt(issue, 'metadata.type')),
        line('message', fieldAt(issue, 'metadata.value')),
        line('file', fieldAt(issue, 'metadata.filename')),
        line('function', fieldAt(issue, 'metadata.function')),
        line('in', fieldAt(issue, 'culprit')),
        line('platform', fieldAt(issue, 'platform')),
        line('level', fieldAt(issue, 'level')),
        line('page', fieldAt(issue, 'web_url') ?? fieldAt(issue, 'permalink')),
      ]),
    ),
  };
}

function issueOf(event: unknown): string | undefined {
  const id = textOf(fieldAt(event, 'issue_id') ?? fieldAt(event, 'groupID'));
  const [, fromAddress] = /\/issues\/(\d{1,30})\//.exec(`${textOf(fieldAt(event, 'issue_url'))}/`) ?? [];
  return id || fromAddress;
}

function exception(value: unknown, index: number): string {
  const name = `${textOf(fieldAt(value, 'type'))}: ${textOf(fieldAt(value, 'value'))}`;
  const all = listAt(value, 'stacktrace.frames').toReversed();
  const own = all.filter(frame => fieldAt(frame, 'in_app') === true);
  const frames = [...own, ...all.filter(frame => fieldAt(frame, 'in_app') !== true)].slice(0, MAX_FRAMES);
  const left = all.length - frames.length;
  return lines([
    `${index === 0 ? 'exception' : 'caused by'} ${name}`,
    ...(frames.length === 0 ? [] : ['stack, own code first, and in it the newest call first:']),
    ...frames.map(frameText),
    left > 0 ? `[... ${left} more frames]` : '',
  ]);
}

function frameText(frame: unknown): string {
  const file = textOf(fieldAt(frame, 'filename') ?? fieldAt(frame, 'abs_path') ?? fieldAt(frame, 'module'));
  const number = fieldAt(frame, 'lineno');
  const at = typeof number === 'number' ? `:${number}` : '';
  const name = textOf(fieldAt(frame, 'function'));
  const source = textOf(fieldAt(frame, 'context_line')).slice(0, 200);
  const own = fieldAt(frame, 'in_app') === true ? '' : ' (library)';
  return `  ${file}${at}${name === '' ? '' : ` in ${name}`}${own}${source === '' ? '' : `\n    ${source}`}`;
}

function breadcrumb(crumb: unknown): string {
  const parts = ['timestamp', 'level', 'category', 'message'].map(name => textOf(fieldAt(crumb, name)).slice(0, 300));
  const data = fieldAt(crumb, 'data');
  return `  ${[...parts, isRecord(data) ? oneLine(JSON.stringify(data)).slice(0, 300) : ''].filter(part => part !== '').join(' ')}`;
}

function listAt(value: unknown, path: string): unknown[] {
  const found = fieldAt(value, path);
  return Array.isArray(found) ? found : [];
}

function line(name: string, value: unknown): string {
  const text = textOf(value);
  return text === '' || name === '' ? '' : `${name}: ${text}`;
}

function lines(all: readonly string[]): string {
  return all.filter(text => text !== '').join('\n');
}

function titleOf(value: unknown): string {
  return textOf(value).slice(0, 150) || 'Error';
}

/** Texts and numbers on one line; anything else is nothing. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? oneLine(String(value)).slice(0, MAX_FIELD_CHARS) : '';
}

function oneLine(text: string): string {
  return visibleText(text).replace(/\s+/g, ' ').trim();
}

function cut(text: string): string {
  return text.length > MAX_REPORT_CHARS ? `${text.slice(0, MAX_REPORT_CHARS)}\n[... it was longer]` : text;
}
