import type { JSX } from 'preact';
import { Hint } from './hint.tsx';
import { Icon } from './icon.tsx';

export interface ProblemProps {
  error: { message: string; hint?: string | undefined } | undefined;
}

/** What went wrong and what to do, beside the thing that failed. */
export function Problem({ error }: ProblemProps): JSX.Element | null {
  if (!error) {
    return null;
  }
  return (
    <div class="problem" role="alert">
      <Icon name="error" class="bad" />
      <span>
        {error.message}
        {error.hint === undefined ? null : (
          <span class="hint">
            {' '}
            <Hint text={error.hint} />
          </span>
        )}
      </span>
    </div>
  );
}
