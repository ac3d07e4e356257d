import { CLOSE_CODES } from '../../protocol/closeCodes.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import { t } from '../../protocol/text.ts';

/** The closing of a socket, as an error fit for a person. */
export function closeError(code: number, reason: string): SandpiperError {
  switch (code) {
    case CLOSE_CODES.versionMismatch.code:
      return new SandpiperError('version_mismatch', reason || t('The relay speaks another protocol version.'), {
        hint: t('Update the older of the two.'),
      });
    case CLOSE_CODES.restarting.code:
      return new SandpiperError('disconnected', t('The relay stopped.'), {
        hint: t('Sandpiper reconnects by itself.'),
      });
    case CLOSE_CODES.lagging.code:
      return new SandpiperError('disconnected', t('The connection was too slow and the relay closed it.'), {
        hint: t('Sandpiper reconnects by itself.'),
      });
    default:
      return new SandpiperError(
        'disconnected',
        t('The connection to the relay was lost ({0}).', reason ? `${code}: ${reason}` : code),
        { hint: t('Sandpiper reconnects by itself.') },
      );
  }
}
