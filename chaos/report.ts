import type { Kind } from './oracle.ts';
import type { Outcome } from './run.ts';

/** What `--json` prints. The five counts are to be 0; the exit code is 1 when any is not. */
export interface ChaosResult {
  kills: number;
  events: number;
  lost: number;
  duplicated: number;
  orphans: number;
  stuck: number;
  /** Anything else that is not as it must be: out of order, altered, done without leave. */
  broken: number;
  /** Agents that ended without our doing, or that should live and do not. */
  agentsLost: number;
  agentsAlive: number;
  sessions: number;
  seed: number;
  seconds: number;
  faults: Record<string, number>;
  skipped: string[];
  problems: string[];
  courses: string[];
  replay: string;
  folder?: string;
}

export function resultOf(outcome: Outcome, run: { seed: number; seconds: number; replay: string }): ChaosResult {
  const count = (kind: Kind): number => outcome.problems.filter(problem => problem.kind === kind).length;
  const { kills, events, agentsAlive, sessions, faults, skipped, folder } = outcome;
  return {
    kills,
    events,
    lost: count('lost'),
    duplicated: count('duplicated'),
    orphans: count('orphan'),
    stuck: count('stuck'),
    broken: count('broken'),
    agentsLost: count('agent'),
    agentsAlive,
    sessions,
    seed: run.seed,
    seconds: Math.round(run.seconds),
    faults,
    skipped,
    problems: outcome.problems.map(({ kind, sessionId, text }) => `${kind}: ${sessionId ?? ''} ${text}`),
    courses: outcome.courses,
    replay: run.replay,
    ...(folder === undefined ? {} : { folder }),
  };
}

/** For a person. */
export function summaryOf(result: ChaosResult): string {
  const { kills, events, lost, duplicated, orphans, stuck, broken, agentsLost, agentsAlive, sessions } = result;
  const faults = Object.entries(result.faults)
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', ');
  const lines = [
    `${kills} kills over ${events} events in ${sessions} sessions, ${result.seconds} s`,
    `faults: ${faults}`,
    `lost ${lost}, duplicated ${duplicated}, orphans ${orphans}, stuck ${stuck}, broken ${broken}`,
    `agents alive ${agentsAlive}, lost ${agentsLost}`,
    ...result.skipped.map(text => `skipped: ${text}`),
    ...result.problems.slice(0, 40),
    ...(result.problems.length > 0
      ? [`The folder is kept: ${result.folder}`, `Again: ${result.replay}`]
      : ['Nothing was lost.']),
  ];
  return `${lines.join('\n')}\n`;
}
