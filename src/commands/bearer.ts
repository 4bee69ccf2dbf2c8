import { misuse } from './subcommand.ts';

const FORM = /^[!-~]+$/;

/**
 * The header that presents a key or a token. Throws, without repeating it, when it is none: what refuses a header
 * later on would say what was in it.
 */
export const bearer = (name: string, secret: string): string => {
  if (FORM.test(secret)) return `Bearer ${secret}`;
  throw misuse(
    `${name} is a text of ${Buffer.byteLength(secret)} bytes that no header can hold; expected ASCII without spaces`,
  );
};
