import type { SessionState } from '../../../protocol/session.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { TurnChanges } from './changeGroups.ts';

/** What each turn of a session changed. A turn's two checkpoints stay as they are, so each is compared once. */
export class TurnDiffs {
  readonly #relay: RelayLink;
  readonly #known = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(relay: RelayLink) {
    this.#relay = relay;
  }

  async read({ id, turns, items }: SessionState): Promise<TurnChanges[]> {
    const done = turns.filter(turn => turn.checkpoint);
    return Promise.all(
      done.map(async (turn, index) => {
        const prompt = items.find(item => item.kind === 'message' && turn.messageIds.includes(item.id));
        const paths = turn.checkpoint?.changed
          ? await this.#compare(id, done[index - 1]?.number ?? 0, turn.number)
          : new Set<string>();
        return { number: turn.number, prompt: prompt?.kind === 'message' ? prompt.text : '', paths };
      }),
    );
  }

  #compare(sessionId: string, from: number, to: number): Promise<ReadonlySet<string>> {
    const key = `${sessionId} ${from} ${to}`;
    const paths =
      this.#known.get(key) ??
      this.#relay
        .call('changes.list', { sessionId, from: `turn:${from}`, to: `turn:${to}` })
        .then(
          ({ files }) =>
            new Set(files.flatMap(({ path, oldPath }) => (oldPath === undefined ? [path] : [oldPath, path]))),
        );
    this.#known.set(key, paths);
    paths.catch(() => this.#known.delete(key));
    return paths;
  }
}
