/** What the emulator can do wrong. `AfterEffect`: the request is carried out, its answer is lost. `silence`: no answer ever comes. */
export type GithubFault =
  | 'badGateway'
  | 'badGatewayAfterEffect'
  | 'unauthorized'
  | 'rateLimit'
  | 'draftUnsupported'
  | 'silence'
  | 'silenceAfterHeaders'
  | 'socketCut'
  | 'socketCutAfterEffect';

export interface FaultOptions {
  /** Only for this operation; default: any, and `pulls/create` for those that are about an effect. */
  operation?: string;
  /** How many requests it hits; default 1. */
  times?: number;
}

const ABOUT_CREATION: readonly GithubFault[] = [
  'badGatewayAfterEffect',
  'draftUnsupported',
  'socketCut',
  'socketCutAfterEffect',
];

/** The faults that are still to come. */
export class GithubFaults {
  readonly #creation: string;
  #pending: { kind: GithubFault; operation: string | undefined; times: number }[] = [];

  /** @param creation the operation that opens a pull request */
  constructor(creation = 'pulls/create') {
    this.#creation = creation;
  }

  add(kind: GithubFault, { operation, times = 1 }: FaultOptions = {}): void {
    this.#pending.push({
      kind,
      operation: operation ?? (ABOUT_CREATION.includes(kind) ? this.#creation : undefined),
      times,
    });
  }

  /** Takes the next fault that hits a request to an operation; only kinds in `kinds`. */
  take(operation: string, kinds: readonly GithubFault[]): GithubFault | undefined {
    const fault = this.#pending.find(
      pending => kinds.includes(pending.kind) && (pending.operation ?? operation) === operation,
    );
    if (!fault) {
      return undefined;
    }
    fault.times--;
    this.#pending = this.#pending.filter(pending => pending.times > 0);
    return fault.kind;
  }
}
