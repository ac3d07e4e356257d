/** What the exit codes of `sandpiper` mean; docs/command-line.md lists them. */
export const EXIT = {
  ok: 0,
  /** The turn failed, or the relay refused the call. */
  failed: 1,
  /** Wrong words on the command line, or settings that cannot be used. */
  usage: 2,
  /** The agent waits for a person, and there is no terminal to ask at. */
  needsYou: 3,
  /** No relay could be reached or started. */
  noRelay: 4,
  /** `serve`: another relay took over from this one, which hung. */
  fenced: 5,
  /** Ctrl-C: the session goes on without this terminal. */
  interrupted: 130,
} as const;
