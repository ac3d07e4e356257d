import { z } from 'zod';
import { hookConnectionSchema, type HookConnection } from '../../../protocol/hookCalls.ts';
import type { Store } from '../store/store.ts';

const SETTING = 'hooks.connections';

/** The repositories whose webhooks begin something. Few, and kept as one setting of the relay. */
export class Connections {
  readonly #store: Pick<Store, 'readSetting' | 'writeSetting'>;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<Store, 'readSetting' | 'writeSetting'>) {
    this.#store = store;
  }

  async list(): Promise<HookConnection[]> {
    const text = await this.#store.readSetting(SETTING);
    return text === undefined ? [] : z.array(hookConnectionSchema).parse(JSON.parse(text));
  }

  /** @param page the address of the repository's page */
  async find(page: string): Promise<HookConnection | undefined> {
    const id = repositoryId(page.replace(/^https?:\/\//i, ''));
    return (await this.list()).find(({ repository }) => repositoryId(repository) === id);
  }

  /** Replaces what was said of the same repository before. */
  connect(connection: HookConnection): Promise<HookConnection> {
    return this.#change(async others => ({ next: [...others(connection.repository), connection], answer: connection }));
  }

  /** @returns false when there was none */
  disconnect(repository: string): Promise<boolean> {
    return this.#change(async (others, before) => {
      const next = others(repository);
      return { next, answer: next.length < before.length };
    });
  }

  #change<Answer>(
    decide: (
      others: (repository: string) => HookConnection[],
      before: readonly HookConnection[],
    ) => Promise<{ next: HookConnection[]; answer: Answer }>,
  ): Promise<Answer> {
    const work = async () => {
      const before = await this.list();
      const others = (repository: string) =>
        before.filter(one => repositoryId(one.repository) !== repositoryId(repository));
      const { next, answer } = await decide(others, before);
      await this.#store.writeSetting(SETTING, JSON.stringify(next));
      return answer;
    };
    const working = this.#changing.then(work, work);
    this.#changing = working.catch(() => {});
    return working;
  }
}

/** One spelling for a repository: `host/owner/name` in lower case. */
export function repositoryId(repository: string): string {
  const named = repository.toLowerCase().replace(/\/+$/, '');
  return named.split('/').length === 2 ? `github.com/${named}` : named;
}
