import type { Generated } from 'kysely';
import type { DeliveryRow, RequestRow } from '../hookStore.ts';
import type { FiringRow } from '../triggerStore.ts';

/** The tables as Kysely sees them; migrations.ts makes them. Times are milliseconds since the epoch, flags 0 or 1. */
export interface Tables {
  sessions: {
    id: string;
    last_seq: number;
    updated_at: number;
    archived: number;
    /** JSON of a SessionSummary */
    summary: string;
    /** JSON, null until it is first given */
    runtime: string | null;
    /** The three of a JournalPosition, all or none. */
    journal_segment: number | null;
    journal_offset: number | null;
    journal_decoder: string | null;
  };
  events: {
    session_id: string;
    seq: number;
    at: number;
    type: string;
    /** JSON of an EventBody */
    body: string;
  };
  inputs: {
    session_id: string;
    segment: number;
    number: number;
    line: string;
  };
  calls: {
    key: string;
    method: string;
    params_hash: string;
    /** JSON */
    result: string;
    at: number;
  };
  settings: {
    name: string;
    /** JSON */
    value: string;
  };
  specs: {
    id: string;
    last_revision: number;
    created_at: number;
    removed: number;
  };
  spec_revisions: {
    spec_id: string;
    revision: number;
    at: number;
    title: string;
    /** Markdown, as it was written */
    text: string;
  };
  hook_deliveries: {
    number: Generated<number>;
    id: string;
    event: string;
    action: string | null;
    repository: string | null;
    lane: string;
    at: number;
    state: DeliveryRow['state'];
    attempts: number;
    due_at: number;
    reason: string | null;
    request: string | null;
    /** JSON as it came, until it is done with */
    body: string | null;
  };
  hook_requests: {
    key: string;
    subject: string;
    at: number;
    state: RequestRow['state'];
    session_id: string | null;
    attempts: number;
    due_at: number;
    reason: string | null;
    /** JSON */
    data: string;
  };
  trigger_firings: {
    number: Generated<number>;
    key: string;
    trigger: string;
    at: number;
    state: FiringRow['state'];
    subject: string | null;
    session_id: string | null;
    attempts: number;
    due_at: number;
    reason: string | null;
    /** JSON, until there is a session */
    data: string | null;
  };
  relay_lease: {
    /** Always 1. */
    id: number;
    epoch: number;
    holder: string;
    pid: number;
    version: string;
    beat: number;
    locked: number;
    released: number;
  };
}
