import { SandpiperError, toError } from '../../../../protocol/errors.ts';

/** The status of an answer that the engine refused with; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/** Whether asking again may help: no answer came, or the engine was in trouble. What was asked for may have happened. */
export function mayPass(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined ? !(error instanceof SandpiperError) : status >= 500 || status === 429;
}

const CODES: Readonly<Record<string, { what: string; hint: string }>> = {
  ENOENT: { what: 'is not running', hint: 'Start it, or set DOCKER_HOST to where it listens.' },
  ECONNREFUSED: { what: 'does not answer', hint: 'Start it, or set DOCKER_HOST to where it listens.' },
  EACCES: {
    what: 'may not be used by this user',
    hint: 'Add the user of the relay to the group `docker` and log in again, or use an engine without root.',
  },
};

/** What failed at the engine, for a person. `what` says what, without a full stop. */
export function toDockerError(thrown: unknown, what: string, engine: string): SandpiperError {
  if (thrown instanceof SandpiperError) {
    return thrown;
  }
  const cause = toError(thrown);
  const status = statusOf(cause);
  if (status !== undefined) {
    const said = cause.message.replace(/^\(HTTP code \d+\) /, '').trim();
    const isFull = /no space left on device/i.test(said);
    return new SandpiperError(
      isFull ? 'disk_full' : 'sandbox_unavailable',
      `${what}: the Docker engine says: ${said}`,
      {
        hint: isFull
          ? 'Free some space for the engine: `docker system df` shows what takes it.'
          : 'Look at the log of the engine, then try again.',
        cause,
      },
    );
  }
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const known = CODES[code];
  return new SandpiperError(
    'sandbox_unavailable',
    `${what}: the Docker engine at ${engine} ${known?.what ?? `could not be reached (${cause.message})`}.`,
    { hint: known?.hint ?? 'Check that it runs: `docker version`.', cause },
  );
}
