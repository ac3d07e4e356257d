import { InvalidArgumentError } from 'commander';

/** @throws when it is none */
export function portNumber(text: string): number {
  const port = Number(text);
  if (text.trim() === '' || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError('Give a number from 0 to 65535.');
  }
  return port;
}

/** @throws when it is none */
export function amount(text: string): number {
  const usd = Number(text);
  if (!Number.isFinite(usd) || usd <= 0) {
    throw new InvalidArgumentError('Give an amount of US dollars, such as 2.50.');
  }
  return usd;
}

/** @throws when it is none */
export function amountOfHits(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 200) {
    throw new InvalidArgumentError('Give a number from 1 to 200.');
  }
  return count;
}

/** @throws when it is none */
export function issueNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number <= 0) {
    throw new InvalidArgumentError('Give the number of an issue, without #.');
  }
  return number;
}

/** @throws when it is none */
export function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number <= 0) {
    throw new InvalidArgumentError('Give a whole number from 1 on.');
  }
  return number;
}
