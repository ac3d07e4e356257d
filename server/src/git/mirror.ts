/** A bare repository of the relay, with every object that a session on it needs. Sandboxes see it read-only. */
export interface Mirror {
  readonly path: string;
  readonly objects: string;
}
