import { EXIT } from './output.js';

/** A failure in words for people: what is the matter and what to do; no stack helps them. */
export class Told extends Error {
  readonly exit: number;

  constructor(message: string, exit: number = EXIT.notSo, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'Told';
    this.exit = exit;
  }
}
