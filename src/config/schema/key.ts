import { z } from 'zod';

/** What a key says about itself beside its type and default; zod carries it, docs and messages print it. */
export interface KeyMeta {
  /** The environment variable that sets it. */
  readonly env: string;
  /** One line: what it does, and what zero or empty means. */
  readonly description: string;
  readonly unit?: Unit;
  /** Never printed; may also be given as a file named by `<env>_FILE`. */
  readonly secret?: true;
  /** In words, where the default depends on something else. */
  readonly defaultText?: string;
  /** In words, where the type alone does not say it. */
  readonly expected?: string;
}

export type Unit =
  | 'ms'
  | 'seconds'
  | 'bytes'
  | 'events'
  | 'entries'
  | 'connections'
  | 'subscriptions'
  | 'frames'
  | 'asks'
  | 'reads'
  | 'requests';

declare module 'zod' {
  interface GlobalMeta {
    env?: string | undefined;
    unit?: string | undefined;
    secret?: true | undefined;
    defaultText?: string | undefined;
    expected?: string | undefined;
  }
}

/** Gives a schema its name in the environment and its words. */
export const key = <S extends z.ZodType>(schema: S, meta: KeyMeta): S => schema.meta({ ...meta });

export const port = z.int().min(0).max(65535);
export const positive = z.int().min(1);
export const notNegative = z.int().min(0);

export interface Address {
  readonly host: string;
  readonly port: number;
}

const address = /^(\[[0-9A-Fa-f:.]+\]|[^:,\s[\]]+):(\d{1,5})$/;

const isAddress = (text: string): boolean => {
  const found = address.exec(text);
  return found !== null && Number(found[2]) >= 1 && Number(found[2]) <= 65535;
};

/** `["host:port", "[::1]:port"]` in, hosts and ports out. */
export const addresses = z.array(z.string().refine(isAddress)).transform((list): readonly Address[] =>
  list.map((text) => {
    const [, host = '', digits = ''] = address.exec(text) ?? [];
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(digits) };
  }),
);
