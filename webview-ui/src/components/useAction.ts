import { useCallback, useRef, useState } from 'preact/hooks';
import { toSandpiperError, type SandpiperError } from '../../../protocol/errors.ts';

export interface Action {
  busy: boolean;
  error: SandpiperError | undefined;
  /** Does it, unless it is being done already. Never throws: a failure becomes `error`. */
  run(work: () => Promise<unknown>): void;
}

/** Something that a button asks of the host: at most once at a time, and what went wrong stays on show. */
export function useAction(): Action {
  const [state, setState] = useState<{ busy: boolean; error: SandpiperError | undefined }>({
    busy: false,
    error: undefined,
  });
  const running = useRef(false);
  const run = useCallback((work: () => Promise<unknown>): void => {
    if (running.current) {
      return;
    }
    running.current = true;
    setState({ busy: true, error: undefined });
    const finish = (error: SandpiperError | undefined): void => {
      running.current = false;
      setState({ busy: false, error });
    };
    work().then(
      () => finish(undefined),
      (thrown: unknown) => finish(toSandpiperError(thrown)),
    );
  }, []);
  return { ...state, run };
}
