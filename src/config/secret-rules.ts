import { LEAST_ADMIN_TOKEN } from './schema/admin.ts';
import type { Findings } from './findings.ts';
import type { Rule, Situation } from './rule.ts';
import { fittingAlgorithms, isPublicPem, verificationKey } from './verification-key.ts';

const leastBytes = 32;

const names = { jwtSecret: 'JWT_SECRET', previousJwtSecret: 'PREVIOUS_JWT_SECRET' } as const;
type SecretKey = keyof typeof names;

const secretKeys = Object.keys(names) as SecretKey[];

const checkLength = (
  key: SecretKey,
  { config, origins, brokerChoice, mode, isAuthenticating }: Situation,
  { problems }: Findings,
): void => {
  const bytes = Buffer.byteLength(config[key]);
  const mayBeMissing = key === 'previousJwtSecret' || isAuthenticating;
  if (bytes >= leastBytes || (mayBeMissing && bytes === 0)) return;
  const source = origins.get(key) ?? 'default';
  const expected = `at least ${leastBytes} bytes`;
  if (bytes > 0) {
    problems.push({
      code: 'secret_short',
      key,
      source,
      got: `a secret of ${bytes} bytes`,
      expected,
      advice: "Make a longer one and give it to Superset too, for example with 'openssl rand -base64 42'.",
    });
    return;
  }
  problems.push({
    code: 'secret_missing',
    key,
    source,
    got: `no secret, and this is ${mode} mode (${brokerChoice.reason})`,
    expected,
    advice: "Set JWT_SECRET, or JWT_SECRET_FILE, to Superset's GLOBAL_ASYNC_QUERIES_JWT_SECRET.",
  });
};

const checkKey = (key: SecretKey, { config, origins }: Situation, { problems }: Findings): void => {
  const secret = config[key];
  if (Buffer.byteLength(secret) < leastBytes) return;
  const problem = { code: 'key_mismatch', key, source: origins.get(key) ?? 'default' } as const;
  const algorithms = config.jwtAlgorithms.join(', ');
  let fitting: readonly string[];
  try {
    fitting = fittingAlgorithms(verificationKey(secret));
  } catch {
    problems.push({
      ...problem,
      got: 'a public key in PEM form that cannot be read',
      expected: 'a whole PEM, line breaks included',
      advice: `Give it as a file with ${names[key]}_FILE.`,
    });
    return;
  }
  if (config.jwtAlgorithms.every((algorithm) => fitting.includes(algorithm))) return;
  problems.push({
    ...problem,
    got: `${isPublicPem(secret) ? 'a public key' : 'a shared secret'} with jwtAlgorithms ${algorithms}`,
    expected:
      fitting.length === 0
        ? 'an RSA key, or an EC key of a NIST curve'
        : `algorithms out of ${fitting.join(', ')}`,
    advice: 'Correct SIGNALBOX_JWT_ALGORITHMS, or give the other kind of key.',
  });
};

const warnChangeMe = (key: SecretKey, { config }: Situation, { warnings }: Findings): void => {
  if (!config[key].startsWith('CHANGE-ME')) return;
  warnings.push({
    key,
    text: 'the secret starts with CHANGE-ME, so others know it: do not use it in production',
  });
};

const checkAdminToken = ({ config, origins }: Situation, { problems }: Findings): void => {
  const { enabled, token } = config.admin;
  if (!enabled || token.length >= LEAST_ADMIN_TOKEN) return;
  problems.push({
    code: token === '' ? 'secret_missing' : 'secret_short',
    key: 'admin.token',
    source: origins.get('admin.token') ?? 'default',
    got: token === '' ? 'no token, with admin.enabled' : `a token of ${token.length} characters`,
    expected: `at least ${LEAST_ADMIN_TOKEN} characters`,
    advice:
      "Set SIGNALBOX_ADMIN_TOKEN, or SIGNALBOX_ADMIN_TOKEN_FILE, to what 'openssl rand -base64 32' prints.",
  });
};

/** A secret that everybody knows or can guess lets everybody read everything. */
const jwtSecretRules: readonly Rule[] = secretKeys.flatMap((key): Rule[] => [
  { about: [key], check: (situation, findings) => checkLength(key, situation, findings) },
  { about: [key], check: (situation, findings) => warnChangeMe(key, situation, findings) },
  { about: [key, 'jwtAlgorithms'], check: (situation, findings) => checkKey(key, situation, findings) },
]);

export const secretRules: readonly Rule[] = [
  ...jwtSecretRules,
  { about: ['admin.enabled', 'admin.token'], check: checkAdminToken },
];
