import type { SandboxRef } from '../sandboxes/provider.ts';
import type { Dependencies } from './dependencies.ts';
import { leftWithout } from './moveDecisions.ts';
import type { Left } from './runtime.ts';
import type { SessionLog } from './sessionLog.ts';
import { providerOf } from './workspace.ts';

/**
 * Removes every sandbox that a session has at a provider, also one that was made and of which no log says so. Repeating it
 * is harmless.
 * @param own what the session works in stays
 */
export async function removeSandboxes(
  dependencies: Dependencies,
  sessionId: string,
  { provider: name, id }: Left,
  own?: SandboxRef,
): Promise<void> {
  const provider = providerOf(dependencies, name);
  const listed = (await provider.list()).filter(({ key }) => key === sessionId).map(sandbox => sandbox.id);
  for (const each of new Set(id === undefined ? listed : [id, ...listed])) {
    if (own?.provider !== name || own.id !== each) {
      await provider.destroy({ provider: name, id: each });
    }
  }
}

/** Removes what moves left behind. @throws when a provider cannot be asked; what it has is then still named */
export async function removeLeft(dependencies: Dependencies, log: SessionLog): Promise<void> {
  for (const place of log.runtime.left ?? []) {
    await removeSandboxes(dependencies, log.state.id, place, log.runtime.sandbox);
    await log.update((state, runtime) => ({ events: [], runtime: { left: leftWithout(state, runtime, place) } }));
  }
}
