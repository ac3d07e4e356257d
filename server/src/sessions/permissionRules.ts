import { z } from 'zod';
import type { CallHandlers, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { changedRules, isWideRule, MAX_RULES, ruleTextSchema } from '../../../protocol/permissionRules.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Store } from '../store/store.ts';
import type { Draft } from './changeBatch.ts';
import type { Dependencies } from './dependencies.ts';
import type { Idempotency } from './idempotency.ts';
import type { Sessions } from './sessions.ts';

/*
 * What agents may do without asking. The rules of one session are events of its log; the others belong to the relay. The
 * agent itself holds to them: it is given them when it is started, and knows best what a command is made of.
 */

const SETTING = 'permission.rules';
const by = 'owner';

const storedSchema = z.array(
  z.object({
    rule: ruleTextSchema,
    /** Absent: it holds everywhere. */
    repository: z.object({ id: z.string(), name: z.string() }).optional(),
    at: z.number(),
  }),
);
type Stored = z.infer<typeof storedSchema>[number];

/** The rules that the agent of a session is started with. */
export async function rulesFor(store: Store, { rules, repository }: SessionState): Promise<string[]> {
  const stored = await readRules(store);
  const fitting = stored.filter(each => each.repository === undefined || each.repository.id === repository.id);
  return changedRules(
    rules ?? [],
    fitting.map(({ rule }) => rule),
    [],
  );
}

/** What "always" adds for the session itself. */
export function sessionRules(state: SessionState, add: readonly string[], remove: readonly string[] = []): Draft {
  const before = state.rules ?? [];
  const rules = changedRules(before, add, remove);
  refuseTooMany(rules.length);
  return { events: rules.join('\n') === before.join('\n') ? [] : [{ type: 'rulesChanged', rules, by }] };
}

type Target = Pick<CheckedParams<'rules.add'>, 'rule' | 'scope' | 'sessionId' | 'repositoryId'>;

export class PermissionRules {
  readonly #store: Store;
  readonly #sessions: Sessions;
  /** The relay's rules are one value: its changes go one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor({ store }: Pick<Dependencies, 'store'>, sessions: Sessions) {
    this.#store = store;
    this.#sessions = sessions;
  }

  /** What "always" adds beyond the session. The agent that asked has it already. */
  async addAll(rules: readonly string[], target: Omit<Target, 'rule'>): Promise<void> {
    for (const rule of rules) {
      await this.change('add', { ...target, rule });
    }
  }

  /** @returns whether anything changed @throws `not_found`, `invalid_params` when no target is named */
  async change(kind: 'add' | 'remove', target: Target): Promise<boolean> {
    const { rule, scope, sessionId } = target;
    const add = kind === 'add' ? [rule] : [];
    const remove = kind === 'remove' ? [rule] : [];
    if (scope === 'session') {
      const session = await this.#sessions.get(required(sessionId));
      const { events } = await session.record(state => ({
        ...sessionRules(state, add, remove),
        ...(state.agent.running ? { runtime: { outdated: state.agent.segment } } : {}),
      }));
      return events.length > 0;
    }
    const repository = scope === 'repository' ? await this.#repositoryOf(target) : undefined;
    const changed = await this.#exclusively(async () => {
      const rules = await readRules(this.#store);
      const others = rules.filter(each => each.rule !== rule || each.repository?.id !== repository?.id);
      const isThere = others.length < rules.length;
      if (isThere === (kind === 'add')) {
        return false;
      }
      refuseTooMany(rules.length + add.length);
      const next: Stored[] = [
        ...others,
        ...add.map(text => ({ rule: text, at: Date.now(), ...(repository ? { repository } : {}) })),
      ];
      await this.#store.writeSetting(SETTING, JSON.stringify(next));
      return true;
    });
    if (changed) {
      await this.#sessions.outdate(state => repository === undefined || state.repository.id === repository.id);
    }
    return changed;
  }

  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const working = this.#changing.then(work, work);
    this.#changing = working.catch(() => {});
    return working;
  }

  async #repositoryOf({ sessionId, repositoryId }: Target): Promise<{ id: string; name: string }> {
    if (repositoryId === undefined) {
      const { id, name } = (await this.#sessions.get(required(sessionId))).log.state.repository;
      return { id, name };
    }
    const known = (await readRules(this.#store)).find(({ repository }) => repository?.id === repositoryId)?.repository;
    if (known) {
      return known;
    }
    const rows = await this.#store.activeSessions();
    const found = rows.find(({ summary }) => summary.repository.id === repositoryId)?.summary.repository;
    if (!found) {
      throw new SandpiperError('not_found', 'This relay has no session of that repository.', {
        hint: 'Name a session of it.',
      });
    }
    return { id: found.id, name: found.name };
  }
}

/** The calls about rules. */
export function ruleCallHandlers(
  dependencies: Dependencies,
  rules: PermissionRules,
  idempotency: Idempotency,
): Pick<CallHandlers<CallContext>, 'rules.list' | 'rules.add' | 'rules.remove'> {
  const { store } = dependencies;
  return {
    'rules.list': async () => {
      const ofSessions = (await store.activeSessions()).flatMap(({ summary }) =>
        (summary.rules ?? []).map(rule => ({
          rule,
          scope: 'session' as const,
          session: { id: summary.id, title: summary.title },
          repository: { id: summary.repository.id, name: summary.repository.name },
          wide: isWideRule(rule),
        })),
      );
      const ofRelay = (await readRules(store)).map(({ rule, repository, at }) => ({
        rule,
        scope: repository ? ('repository' as const) : ('everywhere' as const),
        ...(repository ? { repository } : {}),
        at,
        wide: isWideRule(rule),
      }));
      return { rules: [...ofRelay, ...ofSessions] };
    },
    'rules.add': params =>
      idempotency.once('rules.add', params, async record => {
        const result = { added: await rules.change('add', params) };
        await store.recordCall(record(result));
        return result;
      }),
    'rules.remove': params =>
      idempotency.once('rules.remove', params, async record => {
        const result = { removed: await rules.change('remove', params) };
        await store.recordCall(record(result));
        return result;
      }),
  };
}

async function readRules(store: Store): Promise<Stored[]> {
  const text = await store.readSetting(SETTING);
  return text === undefined ? [] : storedSchema.parse(JSON.parse(text));
}

function refuseTooMany(number: number): void {
  if (number > MAX_RULES) {
    throw new SandpiperError('too_large', `There are at most ${MAX_RULES} rules.`, { hint: 'Remove some first.' });
  }
}

function required(sessionId: string | undefined): string {
  if (sessionId === undefined) {
    throw new SandpiperError('invalid_params', 'A rule of this scope needs a session.');
  }
  return sessionId;
}
