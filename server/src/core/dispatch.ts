import { calls } from '../../../protocol/calls.ts';
import type { CallHandlers, CallName, CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { CallContext } from './callContext.ts';

/** Calls that belong to one socket and are answered by the socket layer itself. */
type SocketCall = 'session.subscribe' | 'session.unsubscribe';
export type HandledCall = Exclude<CallName, SocketCall>;

/** The handlers that both transports share. A full `CallHandlers<CallContext>` fits. */
export type RelayHandlers = { [N in HandledCall]: CallHandlers<CallContext>[N] };

const MAX_ISSUES = 5;

interface Issue {
  path: PropertyKey[];
  message: string;
}

/**
 * The parameters of a call, checked and with defaults filled in.
 * @throws invalid_params that names the path of every wrong field
 */
export function checkParams<N extends CallName>(name: N, params: unknown): CheckedParams<N> {
  const parsed = calls[name].params.safeParse(params ?? {});
  if (!parsed.success) {
    throw invalidParams(name, parsed.error.issues);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of this very name has just accepted it
  return parsed.data as CheckedParams<N>;
}

/**
 * Checks the parameters and calls the handler.
 * @param checkResult also hold the answer to its schema (tests do); a wrong one is `internal`
 */
export async function callHandler<N extends HandledCall>(
  handlers: Pick<RelayHandlers, N>,
  name: N,
  params: unknown,
  context: CallContext,
  checkResult = false,
): Promise<CallResult<N>> {
  const result = await handlers[name](checkParams(name, params), context);
  if (checkResult) {
    const parsed = calls[name].result.safeParse(result);
    if (!parsed.success) {
      throw new SandpiperError('internal', `The result of ${name} breaks its schema: ${describe(parsed.error.issues)}`);
    }
  }
  return result;
}

export function invalidParams(name: string, issues: readonly Issue[]): SandpiperError {
  const shown = issues.slice(0, MAX_ISSUES);
  return new SandpiperError('invalid_params', `The parameters of ${name} are wrong: ${describe(shown)}.`, {
    hint: 'Correct these fields and call again.',
    details: { issues: shown.map(issue => ({ path: pathText(issue.path), message: issue.message })) },
  });
}

function describe(issues: readonly Issue[]): string {
  return issues.map(issue => `${pathText(issue.path)}: ${issue.message}`).join('; ');
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) {
    return 'params';
  }
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}
