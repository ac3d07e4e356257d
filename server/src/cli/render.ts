import { restoredParts, turnName } from '../../../protocol/checkpoints.ts';
import type { EventBody, Failure } from '../../../protocol/events.ts';
import { providerName } from '../../../protocol/providerName.ts';
import { networkName } from '../../../protocol/networkReducer.ts';
import { pullRequestText } from '../../../protocol/pullRequestText.ts';

/** Colours of a terminal; all empty where there is none. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

export function createStyle(colours: boolean): Style {
  const wrap = (open: number, close: number) => (text: string) =>
    colours ? `\u001B[${open}m${text}\u001B[${close}m` : text;
  return { bold: wrap(1, 22), dim: wrap(2, 22), red: wrap(31, 39), green: wrap(32, 39), yellow: wrap(33, 39) };
}

const MAX_OUTPUT_LINES = 12;

/** An event as lines for a terminal; undefined when a person need not see it. Pure. */
export function renderEvent(body: EventBody, style: Style): string | undefined {
  switch (body.type) {
    case 'sessionCreated':
      return style.dim(
        `${body.repository.name} at ${body.base.slice(0, 8)}, provider ${body.provider}, isolation ${body.isolation}`,
      );
    case 'agentStarted':
      return style.dim(`${body.agent} ${body.version} ${body.resumed ? 'resumed' : 'started'}`);
    case 'agentEnded':
      return body.expected ? undefined : style.yellow(plain(body.cause));
    case 'sessionBlocked':
      return failureText(body.failure, style);
    case 'messageQueued':
      return `${style.bold('you')} ${plain(body.text)}`;
    case 'textFinished':
      return `${style.bold('claude')} ${plain(body.text.text)}`;
    case 'toolStarted':
      return `${style.yellow('▸')} ${style.bold(plain(body.name))} ${plain(body.title)}`;
    case 'toolFinished':
      return toolOutput(body.outcome, body.output.text, style);
    case 'approvalAsked':
      return `${style.yellow('?')} ${style.bold('Waiting for you:')} ${plain(body.name)} ${plain(body.title)}`;
    case 'approvalAnswered':
      return style.dim(`answered: ${body.decision.kind}`);
    case 'modelRetrying':
      return style.yellow(
        `the model does not answer (${body.status ?? 'no connection'}), retry ${body.attempt} of ${body.maxAttempts}`,
      );
    case 'noticeRaised':
      return style.yellow(sentences(body.text, body.hint));
    case 'agentFinished':
      return body.failure && failureText(body.failure, style);
    case 'turnFinished':
      return turnEnd(body, style);
    case 'pullRequestOpened':
      return style.green(`pull request ${body.pullRequest.url}`);
    default:
      return renderTrouble(body, style);
  }
}

/** What went wrong with the agent or its sandbox, what is done about it, and how its pull request stands. */
function renderTrouble(body: EventBody, style: Style): string | undefined {
  switch (body.type) {
    case 'pullRequestChanged':
      return style.dim(`pull request #${body.pullRequest.number}: ${plain(pullRequestText(body.pullRequest))}`);
    case 'stuckNoticed':
      return style.yellow(sentences(body.cause, body.hint));
    case 'recoveryStarted':
      return style.yellow(sentences(body.cause, body.by === 'relay' ? 'Sandpiper goes on with it.' : undefined));
    case 'recoveryEnded':
      return style.dim(plain(body.text));
    case 'sandboxLost':
      return style.yellow(sentences(body.cause, body.lost));
    case 'networkBlocked':
      return style.yellow(`network access to ${plain(networkName(body))} was refused (${body.reason})`);
    case 'restoreStarted':
      return style.dim(`restoring ${restoredParts(body)} of ${turnName(body.turn)}`);
    case 'baseUpdateStarted':
      return style.dim(`merging in what ${plain(body.branch)} has since`);
    case 'baseUpdated':
      return style.green('session updated from its base');
    case 'baseUpdateFailed':
      return failureText(body.failure, style);
    case 'restoreFinished':
      return style.green('restored; `sandpiper back --undo` takes it back');
    case 'restoreFailed':
      return failureText(body.failure, style);
    case 'moveStarted':
      return style.dim(`moving to ${providerName(body.provider)}`);
    case 'sessionMoved':
      return style.green(`moved from ${providerName(body.from)} to ${providerName(body.to)}`);
    case 'moveFailed':
      return failureText(body.failure, style);
    case 'sessionBranched':
      return style.dim(`branched from ${turnName(body.turn)} of ${body.from.sessionId}: ${plain(body.from.title)}`);
    default:
      return renderSpec(body, style);
  }
}

/** How the building of a spec goes. */
function renderSpec(body: EventBody, style: Style): string | undefined {
  switch (body.type) {
    case 'specWorkStarted':
      return style.bold(`${body.kind === 'build' ? 'building' : 'checking'} the spec ${plain(body.spec.title)}`);
    case 'specRoundStarted':
      return style.dim(`checks after turn ${body.turn}`);
    case 'specChecked':
      return `${body.outcome === 'passed' ? style.green('passed') : style.red('failed')} ${body.check} ${plain(body.detail)}`;
    case 'specWorkEnded':
      return body.outcome === 'passed' ? style.green(plain(body.reason)) : style.yellow(plain(body.reason));
    default:
      return undefined;
  }
}

function failureText({ message, hint }: Failure, style: Style): string {
  return style.red(sentences(message, hint));
}

function sentences(text: string, hint: string | undefined): string {
  return plain(hint === undefined ? text : `${text} ${hint}`);
}

function toolOutput(outcome: 'ok' | 'failed' | 'denied' | 'stopped', output: string, style: Style): string {
  const lines = plain(output).trimEnd().split('\n');
  const shown = lines.slice(0, MAX_OUTPUT_LINES).map(line => style.dim(`  ${line}`));
  const more = lines.length > MAX_OUTPUT_LINES ? [style.dim(`  … ${lines.length - MAX_OUTPUT_LINES} more lines`)] : [];
  const mark = outcome === 'ok' ? [] : [style.red(`  ${outcome}`)];
  return [...mark, ...shown, ...more].join('\n');
}

function turnEnd(body: Extract<EventBody, { type: 'turnFinished' }>, style: Style): string {
  const { files, insertions, deletions } = body.stats;
  const changes = files === 0 ? 'no changes' : `${files} file${files === 1 ? '' : 's'} +${insertions} −${deletions}`;
  const outcome = body.outcome === 'completed' ? style.green('turn completed') : style.red(`turn ${body.outcome}`);
  return `${outcome} ${style.dim(`${changes}, checkpoint ${body.checkpoint.slice(0, 8)}`)}`;
}

/** Agent text is hostile to a terminal too: control characters but newline and tab are shown, not obeyed. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, character => (character === '\r' ? '' : '\uFFFD'));
}
