/** What can be wrong with a configuration; `docs/errors.md` lists them. */
export const PROBLEMS = {
  file_missing: 'The config file that was named does not exist.',
  file_unreadable: 'A file exists and cannot be read.',
  file_syntax: 'The config file is not JSON.',
  unknown_key: 'The config file has a key that does not exist.',
  bad_value: 'A value is not of the type, or not in the range, that its key takes.',
  secret_missing:
    'There is no jwtSecret, and this is not development mode; or no hooks.secret beside a hook.',
  secret_short: 'A secret has less than 32 bytes.',
  key_mismatch: 'A public key cannot be read, or jwtAlgorithms do not fit the key.',
  conflict: 'Two values contradict each other.',
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One reason not to start. All of it may be shown: what came of a secret is only its kind and length. */
export interface ConfigProblem {
  readonly code: ProblemCode;
  /** The key's path, or the file's name when it is about the whole file. */
  readonly key: string;
  /** The variable or the file it came from. */
  readonly source: string;
  /** What came, in words. */
  readonly got: string;
  readonly expected: string;
  /** What to do. */
  readonly advice: string;
}

/** One line. */
export const printProblem = ({ key, source, got, expected, advice }: ConfigProblem): string =>
  `${key === source ? key : `${key} (from ${source})`}: ${got}; expected ${expected}. ${advice}`;
