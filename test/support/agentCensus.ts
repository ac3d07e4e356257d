import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** How many agents were seen at one time. */
export interface AgentCensus {
  readonly looks: number;
  /** Looks at which more than one agent was there. */
  readonly overlaps: string[][];
  /** Every agent that was ever there. */
  readonly seen: ReadonlySet<string>;
  stop(): void;
}

const LOOK_MS = 10;
const OWN_NAMESPACE = readlinkSync('/proc/self/ns/pid');

/**
 * Looks again and again which agents run in these sandboxes, by the mark in their environment and the process namespace
 * that each start has for itself; Linux with bubblewrap only.
 */
export function takeAgentCensus(sandboxIds: () => readonly string[]): AgentCensus {
  const overlaps: string[][] = [];
  const seen = new Set<string>();
  let looks = 0;
  const timer = setInterval(() => {
    const agents = [...new Set(readdirSync('/proc').flatMap(pid => agentOf(pid, sandboxIds())))];
    looks++;
    agents.forEach(agent => seen.add(agent));
    if (agents.length > 1) {
      overlaps.push(agents);
    }
  }, LOOK_MS);
  return {
    get looks() {
      return looks;
    },
    overlaps,
    seen,
    stop: () => clearInterval(timer),
  };
}

/** Of the processes that carry the mark, the one inside: bwrap as the first of a namespace that lives as long as the agent. */
function agentOf(pid: string, sandboxIds: readonly string[]): string[] {
  if (!/^\d+$/.test(pid)) {
    return [];
  }
  try {
    const mark = /SANDPIPER_SANDBOX=(([^/\0]+)\/[^:\0]*:agent-\d+)/.exec(
      readFileSync(`/proc/${pid}/environ`, 'latin1'),
    );
    const namespace = mark && sandboxIds.includes(mark[2] ?? '') ? readlinkSync(`/proc/${pid}/ns/pid`) : OWN_NAMESPACE;
    return namespace === OWN_NAMESPACE ? [] : [`${mark?.[1]} in ${namespace}`];
  } catch {
    // It has ended.
    return [];
  }
}
