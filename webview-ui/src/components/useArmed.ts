import { useEffect, useState } from 'preact/hooks';

const ARMING_MS = 400;

/**
 * Whether what just appeared takes an answer yet: a click in its first moments was meant for what stood there before.
 * @param arrangement what decides where it stands; when that changes it has just appeared again
 */
export function useArmed(arrangement: string = ''): boolean {
  const [armed, setArmed] = useState<string | undefined>(undefined);
  useEffect(() => {
    const timer = setTimeout(() => setArmed(arrangement), ARMING_MS);
    return () => clearTimeout(timer);
  }, [arrangement]);
  return armed === arrangement;
}
