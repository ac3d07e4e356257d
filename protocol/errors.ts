/**
 * Every failure that can reach a person. `rpc` is the JSON-RPC code, `http` the status; `retryable` says whether the
 * same call may succeed later without anything being changed by the user.
 */
export const ERROR_CODES = {
  invalid_request: { rpc: -32600, http: 400, retryable: false },
  unknown_call: { rpc: -32601, http: 404, retryable: false },
  invalid_params: { rpc: -32602, http: 400, retryable: false },
  internal: { rpc: -32603, http: 500, retryable: false },
  unauthorized: { rpc: -32001, http: 401, retryable: false },
  forbidden: { rpc: -32002, http: 403, retryable: false },
  not_found: { rpc: -32003, http: 404, retryable: false },
  conflict: { rpc: -32004, http: 409, retryable: false },
  stale: { rpc: -32005, http: 412, retryable: false },
  key_reused: { rpc: -32006, http: 422, retryable: false },
  too_large: { rpc: -32007, http: 413, retryable: false },
  version_mismatch: { rpc: -32008, http: 426, retryable: false },
  not_initialized: { rpc: -32009, http: 400, retryable: false },
  unavailable: { rpc: -32010, http: 503, retryable: true },
  timeout: { rpc: -32011, http: 504, retryable: true },
  disconnected: { rpc: -32012, http: 503, retryable: true },
  disk_full: { rpc: -32013, http: 507, retryable: true },
  stopped: { rpc: -32014, http: 409, retryable: true },
  fenced: { rpc: -32015, http: 503, retryable: true },
  not_a_repository: { rpc: -32020, http: 422, retryable: false },
  empty_repository: { rpc: -32021, http: 422, retryable: false },
  repository_unreachable: { rpc: -32022, http: 422, retryable: true },
  git_failed: { rpc: -32023, http: 500, retryable: false },
  import_refused: { rpc: -32024, http: 422, retryable: false },
  agent_missing: { rpc: -32030, http: 422, retryable: false },
  agent_too_old: { rpc: -32031, http: 422, retryable: false },
  agent_failed: { rpc: -32032, http: 500, retryable: true },
  model_key_missing: { rpc: -32033, http: 422, retryable: false },
  model_key_rejected: { rpc: -32034, http: 422, retryable: false },
  budget_spent: { rpc: -32035, http: 402, retryable: false },
  journal_lost: { rpc: -32036, http: 500, retryable: false },
  sandbox_unavailable: { rpc: -32040, http: 503, retryable: true },
  isolation_consent_needed: { rpc: -32041, http: 422, retryable: false },
  sandbox_gone: { rpc: -32042, http: 410, retryable: false },
  forge_unauthorized: { rpc: -32050, http: 422, retryable: false },
  forge_refused: { rpc: -32051, http: 422, retryable: false },
  forge_unreachable: { rpc: -32052, http: 503, retryable: true },
  nothing_to_land: { rpc: -32053, http: 422, retryable: false },
  no_forge: { rpc: -32054, http: 422, retryable: false },
  review_pending: { rpc: -32055, http: 409, retryable: false },
  policy_refused: { rpc: -32056, http: 422, retryable: false },
} as const satisfies Record<string, { rpc: number; http: number; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What crosses the wire in JSON-RPC `error.data` and as an RFC 9457 body. */
export interface WireErrorData {
  code: ErrorCode;
  retryable: boolean;
  /** What the person can do next, one sentence. */
  hint?: string;
  /** Machine-readable detail, for instance the path of an invalid parameter. */
  details?: Record<string, unknown>;
}

/**
 * A failure fit for a person. `message` says what happened and why, `hint` what to do next.
 * Everything that is thrown across a module border is one of these or a defect.
 */
export class SandpiperError extends Error {
  override readonly name = 'SandpiperError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; details?: Record<string, unknown> | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  toWire(): WireErrorData {
    return {
      code: this.code,
      retryable: this.retryable,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Whatever was thrown, as a SandpiperError; a defect becomes `internal` and keeps its cause. */
export function toSandpiperError(thrown: unknown): SandpiperError {
  if (thrown instanceof SandpiperError) {
    return thrown;
  }
  const error = toError(thrown);
  return new SandpiperError('internal', `Something went wrong inside Sandpiper: ${error.message}`, {
    hint: 'This is a defect. Please report it with the log of the relay.',
    cause: error,
  });
}

/** One text for a terminal or a notification. */
export function errorText(error: SandpiperError): string {
  return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
}
