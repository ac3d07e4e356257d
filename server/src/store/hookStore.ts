/*
 * What forges have told this relay, and what is being done about it. A delivery is one message of a forge, stored once by
 * its id. A request is one thing that a person did there, by a key of its own: several deliveries may tell of it.
 */

export interface DeliveryRow {
  /** Given by the forge. */
  id: string;
  /** In order of arrival, from 1. */
  number: number;
  event: string;
  action: string | undefined;
  repository: string | undefined;
  /** Deliveries of one lane are worked off one after the other. */
  lane: string;
  /** Times are milliseconds since the epoch. */
  at: number;
  state: 'waiting' | 'done' | 'ignored' | 'dead';
  attempts: number;
  dueAt: number;
  reason: string | undefined;
  /** The key of what it asked for. */
  request: string | undefined;
}

export type NewDelivery = Pick<DeliveryRow, 'id' | 'event' | 'action' | 'repository' | 'lane' | 'at'> & {
  /** Ignored at once when there is a reason to, and then without its body. */
  reason?: string;
  body: string;
};

export interface RequestRow {
  key: string;
  /** The issue or pull request. Requests of one subject begin one after the other. */
  subject: string;
  at: number;
  state: 'open' | 'done' | 'dead';
  sessionId: string | undefined;
  attempts: number;
  dueAt: number;
  reason: string | undefined;
  /** How far it is. JSON */
  data: string;
}

export interface HookStore {
  /** @returns false when it was there already; nothing is changed then */
  addDelivery(delivery: NewDelivery): Promise<boolean>;
  /** What is to be worked off, oldest first. */
  waitingDeliveries(limit: number): Promise<DeliveryRow[]>;
  /** Newest first. */
  listDeliveries(options: { state?: DeliveryRow['state']; limit: number }): Promise<DeliveryRow[]>;
  readDelivery(id: string): Promise<(DeliveryRow & { body: string | undefined }) | undefined>;
  /**
   * What became of an attempt, and the request that came of it, in one transaction. A request of this key that is there
   * stays as it is. The body of a delivery that is done or ignored goes.
   */
  settleDelivery(
    change: Pick<DeliveryRow, 'id' | 'state' | 'attempts' | 'dueAt'> & { reason?: string; request?: NewRequest },
  ): Promise<void>;
  /** Forgets what came before this moment and is not waiting. */
  pruneDeliveries(before: number): Promise<void>;
  /** @returns false when there is one of this key */
  addRequest(request: NewRequest): Promise<boolean>;
  /** Oldest first. */
  openRequests(): Promise<RequestRow[]>;
  /** Newest first. */
  listRequests(options: { subject?: string; state?: RequestRow['state']; limit: number }): Promise<RequestRow[]>;
  readRequest(key: string): Promise<RequestRow | undefined>;
  writeRequest(row: Omit<RequestRow, 'subject' | 'at'>): Promise<void>;
}

export type NewRequest = Pick<RequestRow, 'key' | 'subject' | 'at' | 'data'>;
