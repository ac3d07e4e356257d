import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../../protocol/text.ts';

/**
 * A component whose code is loaded when it is first drawn, so that opening a chat does not wait for it. Every place where
 * it stands shares one load; one that failed is tried again by the reader, or by the next place that needs it.
 *
 * @param what a key of the texts; names it when it could not be loaded: "The new session form could not be loaded."
 */
export function lazy<Props extends object>(
  what: string,
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => JSX.Element | null {
  let loaded: ComponentType<Props> | undefined;
  let loading: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    loading ??= load().then(
      component => {
        loaded = component;
      },
      (thrown: unknown) => {
        loading = undefined;
        throw thrown;
      },
    );
    return loading;
  };
  return function Lazy(props: Props): JSX.Element | null {
    const [attempt, setAttempt] = useState(0);
    const [state, setState] = useState<'loading' | 'failed' | 'there'>(loaded ? 'there' : 'loading');
    useEffect(() => {
      let gone = false;
      const settle = (next: 'failed' | 'there'): void => {
        if (!gone) {
          setState(next);
        }
      };
      if (!loaded) {
        begin().then(
          () => settle('there'),
          () => settle('failed'),
        );
      }
      return () => {
        gone = true;
      };
    }, [attempt]);
    const Component = loaded;
    if (Component) {
      return <Component {...props} />;
    }
    return state === 'failed' ? <NotLoaded what={what} onRetry={() => setAttempt(attempt + 1)} /> : null;
  };
}

/** The page is older than the relay or the extension that serves it now, or these cannot be reached. */
function NotLoaded({ what, onRetry }: { what: string; onRetry: () => void }): JSX.Element {
  return (
    <p class="problem" role="alert">
      <span>
        {t('{0} could not be loaded. Reload the page if trying again does not help.', t(what))}{' '}
        <button type="button" class="link" onClick={onRetry}>
          {t('Try Again')}
        </button>
      </span>
    </p>
  );
}
