/** Who makes a call, and through what. */
export interface CallContext {
  /** What the client says of itself; for logs and for `by`. */
  client: { name: string; version: string };
  /** One socket or one request; unique while the relay runs. */
  connection: string;
  principal: 'owner';
}
