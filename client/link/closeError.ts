import { CLOSE_CODES } from '../../protocol/closeCodes.ts';
import { SandpiperError } from '../../protocol/errors.ts';

/** The closing of a socket, as an error fit for a person. */
export function closeError(code: number, reason: string): SandpiperError {
  switch (code) {
    case CLOSE_CODES.versionMismatch.code:
      return new SandpiperError('version_mismatch', reason || 'The relay speaks another protocol version.', {
        hint: 'Update the older of the two.',
      });
    case CLOSE_CODES.restarting.code:
      return new SandpiperError('disconnected', 'The relay stopped.', { hint: 'Sandpiper reconnects by itself.' });
    case CLOSE_CODES.lagging.code:
      return new SandpiperError('disconnected', 'The connection was too slow and the relay closed it.', {
        hint: 'Sandpiper reconnects by itself.',
      });
    default:
      return new SandpiperError(
        'disconnected',
        `The connection to the relay was lost (${code}${reason ? `: ${reason}` : ''}).`,
        { hint: 'Sandpiper reconnects by itself.' },
      );
  }
}
