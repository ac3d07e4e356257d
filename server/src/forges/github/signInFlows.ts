import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { SandpiperError, toSandpiperError } from '../../../../protocol/errors.ts';
import { decidePoll, refusalOf, type Pace } from './deviceFlow.ts';
import type { DeviceCode, GithubOauth, Grant } from './oauth.ts';

export type FlowState = { kind: 'waiting' } | { kind: 'signedIn' } | { kind: 'failed'; error: SandpiperError };

interface Flow {
  readonly id: string;
  readonly host: string;
  readonly ending: AbortController;
  state: FlowState;
}

export interface SignInFlowsOptions {
  oauth: (host: string) => GithubOauth;
  /** Durable when it resolves. */
  onGranted: (flow: { host: string; clientId: string }, grant: Grant) => Promise<void>;
}

/** What is over is told for a while to whoever began it. */
const MAX_KNOWN = 20;

/**
 * Sign-ins that wait for a person. They are in memory only: what a relay that ended left open is worth nothing, and is begun
 * again with another code.
 */
export class SignInFlows {
  readonly #options: SignInFlowsOptions;
  readonly #flows = new Map<string, Flow>();

  constructor(options: SignInFlowsOptions) {
    this.#options = options;
  }

  /** @throws `forge_refused`, `forge_unreachable` */
  async begin(host: string, clientId: string): Promise<{ id: string } & DeviceCode> {
    const answer = await this.#options.oauth(host).deviceCode(clientId);
    if (answer.kind === 'refused') {
      throw refusalOf(answer.error, answer.description);
    }
    if (answer.kind === 'noAnswer') {
      throw new SandpiperError('forge_unreachable', `${host} could not be reached to sign in: ${answer.reason}.`, {
        hint: 'Check the network, then try again.',
      });
    }
    this.#giveUp(one => one.host === host);
    const flow: Flow = { id: randomUUID(), host, ending: new AbortController(), state: { kind: 'waiting' } };
    this.#flows.set(flow.id, flow);
    this.#forget();
    void this.#follow(flow, clientId, answer.given);
    return { id: flow.id, ...answer.given };
  }

  /** @throws `not_found` for one that an earlier relay began */
  state(id: string): { host: string; state: FlowState } {
    const flow = this.#flows.get(id);
    if (!flow) {
      throw new SandpiperError('not_found', 'There is no such sign-in.', { hint: 'Run `sandpiper login` again.' });
    }
    return flow;
  }

  close(): void {
    this.#giveUp(() => true);
  }

  async #follow(flow: Flow, clientId: string, { deviceCode, intervalMs, expiresInMs }: DeviceCode): Promise<void> {
    const { host, ending } = flow;
    const expiresAt = Date.now() + expiresInMs;
    let pace: Pace = { intervalMs, failures: 0 };
    let waitMs = intervalMs;
    try {
      for (;;) {
        await setTimeout(waitMs, undefined, { signal: ending.signal, ref: false });
        const answer = await this.#options.oauth(host).tokenOfCode(clientId, deviceCode);
        const decision = decidePoll(answer, pace, { now: Date.now(), expiresAt });
        if (decision.kind === 'wait') {
          ({ waitMs, pace } = decision);
          continue;
        }
        if (decision.kind === 'failed') {
          throw decision.error;
        }
        await this.#options.onGranted({ host, clientId }, decision.grant);
        flow.state = { kind: 'signedIn' };
        return;
      }
    } catch (error) {
      flow.state = { kind: 'failed', error: ending.signal.aborted ? givenUp() : toSandpiperError(error) };
    }
  }

  #giveUp(which: (flow: Flow) => boolean): void {
    for (const flow of this.#flows.values()) {
      if (flow.state.kind === 'waiting' && which(flow)) {
        flow.ending.abort();
      }
    }
  }

  #forget(): void {
    for (const { id, state } of this.#flows.values()) {
      if (this.#flows.size > MAX_KNOWN && state.kind !== 'waiting') {
        this.#flows.delete(id);
      }
    }
  }
}

function givenUp(): SandpiperError {
  return new SandpiperError('stopped', 'Another sign-in to the same host was begun.', {
    hint: 'Enter the code of that one.',
  });
}
