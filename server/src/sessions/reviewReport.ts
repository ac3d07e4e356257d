import type { EventOf } from '../../../protocol/events.ts';
import type { LandingTree } from '../../../protocol/landingCalls.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { PendingFile } from '../review/pending.ts';
import type { Store } from '../store/store.ts';
import { codePath } from './pullRequestBody.ts';
import { counted } from './landingTree.ts';

/** A decision of a review as the log has it. */
export interface LoggedDecision {
  seq: number;
  body: EventOf<'reviewDecided'>;
}

interface ReportSpec {
  decisions: readonly LoggedDecision[];
  /** What nobody decided on. */
  pending: readonly Pick<PendingFile, 'path' | 'hunks'>[];
  from: LandingTree;
  /** Who `owner` is to other people. */
  owner: string;
}

type Verdict = 'accept' | 'reject' | 'edit' | 'resolve';
type Tally = Map<string, Map<Verdict, number>>;

const PAGE = 1000;
const MAX_FILES = 50;
const WORDS: Record<Verdict, string> = {
  accept: 'accepted',
  reject: 'rejected',
  edit: 'edited',
  resolve: 'conflicts decided',
};

/** Every decision of the session; the state keeps only the latest. */
export async function readDecisions(
  store: Pick<Store, 'readEvents'>,
  state: Pick<SessionState, 'id' | 'seq'>,
): Promise<LoggedDecision[]> {
  const decisions: LoggedDecision[] = [];
  for (let after = 0; after < state.seq;) {
    const events = await store.readEvents(state.id, after, PAGE);
    decisions.push(...events.flatMap(({ seq, body }) => (body.type === 'reviewDecided' ? [{ seq, body }] : [])));
    const last = events.at(-1);
    if (!last) {
      break;
    }
    after = last.seq;
  }
  return decisions;
}

/** Pure. Who reviewed what, as paragraphs of Markdown. */
export function reviewReport({ decisions, pending, from, owner }: ReportSpec): string[] {
  const nameOf = (by: string): string => plain(by === 'owner' ? owner : by);
  const people: Tally = new Map();
  const files = new Map<string, Tally>();
  for (const { body } of standing(decisions)) {
    const { verdict } = body;
    if (verdict === 'undo') {
      continue;
    }
    const by = nameOf(body.by);
    add(people, by, verdict, Math.max(body.decided, 1));
    for (const { path, hunks } of body.files) {
      const tally: Tally = files.get(path) ?? new Map();
      files.set(path, tally);
      add(tally, by, verdict, hunks ?? 0);
    }
  }
  const left = new Map(pending.map(({ path, hunks }) => [path, Math.max(1, hunks.length)]));
  return [
    ...(people.size === 0
      ? ['Nobody has reviewed this change in Sandpiper.']
      : [...people].map(([name, verdicts]) => `Reviewed by ${name}: ${totals(verdicts)}.`)),
    ...(files.size === 0 ? [] : [fileList(files, left)]),
    ...(left.size === 0 ? [] : [leftOver(left, from)]),
  ];
}

/** Without those that were taken back. What took back is taken back itself when it is undone. */
function standing(decisions: readonly LoggedDecision[]): LoggedDecision[] {
  const undone = new Set<number>();
  return decisions
    .toReversed()
    .filter(({ seq, body }) => {
      if (undone.has(seq)) {
        return false;
      }
      if (body.undoes !== undefined) {
        undone.add(body.undoes);
      }
      return true;
    })
    .toReversed();
}

function add(tally: Tally, by: string, verdict: Verdict, count: number): void {
  const verdicts = tally.get(by) ?? new Map<Verdict, number>();
  tally.set(by, verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + count));
}

function totals(verdicts: ReadonlyMap<Verdict, number>): string {
  return [...verdicts].map(([verdict, count]) => `${count} ${WORDS[verdict]}`).join(', ');
}

function fileList(files: ReadonlyMap<string, Tally>, left: ReadonlyMap<string, number>): string {
  const listed = [...files].slice(0, MAX_FILES).map(([path, tally]) => {
    const verdicts = [...tally].map(([name, given]) => `${[...given].map(verdictText).join(', ')} by ${name}`);
    const open = left.get(path);
    return `- ${codePath(path)}: ${[...verdicts, ...(open === undefined ? [] : [`${open} not reviewed`])].join('; ')}`;
  });
  const more = files.size > listed.length ? [`- and ${files.size - listed.length} more`] : [];
  return [...listed, ...more].join('\n');
}

/** A count of 0 is the file as a whole. */
function verdictText([verdict, count]: [Verdict, number]): string {
  return verdict === 'edit' || verdict === 'resolve' || count === 0
    ? WORDS[verdict].replace(/^conflicts/, 'conflict')
    : `${counted(count, 'change')} ${WORDS[verdict]}`;
}

function leftOver(left: ReadonlyMap<string, number>, from: LandingTree): string {
  const changes = [...left.values()].reduce((sum, count) => sum + count, 0);
  const named = [...left.keys()].slice(0, 10).map(codePath).join(', ');
  const what = `${counted(changes, 'change')} in ${counted(left.size, 'file')}`;
  const names = `${named}${left.size > 10 ? ', …' : ''}`;
  return from === 'accepted'
    ? `Not accepted, and so not part of this pull request: ${what} (${names}).`
    : `Not reviewed, but part of this pull request: ${what} (${names}).`;
}

/** A name in Markdown: it must neither notify anybody nor format anything. */
function plain(name: string): string {
  return name
    .replace(/[\p{Cc}<>[\]`*_|\\]/gu, ' ')
    .replace(/@(?=[a-z0-9])/gi, '@\u200B')
    .trim()
    .slice(0, 100);
}
