import { t } from './text.ts';

/**
 * What is said while there is no connection, the same on every surface. Whole seconds, counting down to 1.
 * @param retryInMs until the next attempt; undefined while one is under way
 */
export function retryText(retryInMs: number | undefined): string {
  return retryInMs === undefined || retryInMs <= 0
    ? t('Reconnecting, trying now…')
    : t('Reconnecting, next try in {0} s.', Math.ceil(retryInMs / 1000));
}
