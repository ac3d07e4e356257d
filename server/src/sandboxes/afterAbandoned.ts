import type { SandboxProvider } from './provider.ts';

/**
 * A provider that gives no sandbox before what the last relay left in passing was ended, and asks for that once. A relay
 * takes calls earlier than that: without it, what it begins for the first of them looks like what the last one left.
 */
export function afterAbandoned(provider: SandboxProvider): SandboxProvider {
  if (!provider.endAbandoned) {
    return provider;
  }
  let ended: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    ended ??= provider.endAbandoned?.();
    try {
      await ended;
    } catch (error) {
      // The next call may fare better.
      ended = undefined;
      throw error;
    }
  };
  return {
    id: provider.id,
    probe: () => provider.probe(),
    list: () => provider.list(),
    endAbandoned: end,
    create: async spec => {
      await end();
      return provider.create(spec);
    },
    attach: async ref => {
      await end();
      return provider.attach(ref);
    },
    ...(provider.adopt
      ? {
          adopt: async (from, spec) => {
            await end();
            return provider.adopt?.(from, spec);
          },
        }
      : {}),
    destroy: async ref => {
      await end();
      await provider.destroy(ref);
    },
  };
}
