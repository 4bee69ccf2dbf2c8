import jwt from 'jsonwebtoken';
import { EXIT } from '../config/exit-code.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { isPublicPem, verificationKey } from '../config/verification-key.ts';
import { CommandFailure } from './subcommand.ts';

/** What a token of the native protocol says of its owner. */
export interface TokenClaims {
  readonly user: string;
  readonly session?: string | undefined;
  /** Names and patterns of what may be subscribed. */
  readonly channels?: readonly string[];
  /** Names and patterns of where may be published. */
  readonly publish?: readonly string[];
  readonly lifeSeconds: number;
}

/** Run as it is by a test: whoever reads it copies it. */
const TRIAL =
  'node -p \'JSON.stringify({ jwtSecret: crypto.randomBytes(32).toString("hex"), broker: "memory", host: "127.0.0.1" })\' > config.json';

const NO_SECRET = `There is no jwtSecret to sign a token with; expected the server's, in JWT_SECRET or in a config file.
A server that nothing is configured for makes a random one at each start, and tells it to nobody. To try it out on
this machine, make a config file, and start the server and run this command where it is:

  ${TRIAL}
`;

const PUBLIC_KEY =
  'jwtSecret is a public key, which signs nothing; expected a token that is signed where the private key is';

/** Whether there is something to sign with, that a server can know too. */
export const canSign = ({ config, mode }: LoadedConfig): boolean =>
  mode === 'production' && !isPublicPem(config.jwtSecret);

/** Signs a token as the configured server accepts it. Throws, saying what to do, where there is nothing to sign with. */
export const signToken = (loaded: LoadedConfig, claims: TokenClaims, nowMs: number): string => {
  const { config, mode } = loaded;
  // Development mode's own secret is another one in every process.
  if (mode === 'development') throw new CommandFailure(EXIT.config, NO_SECRET.trimEnd());
  const algorithm = config.jwtAlgorithms.find((name) => name.startsWith('HS'));
  if (!canSign(loaded) || algorithm === undefined) throw new CommandFailure(EXIT.config, PUBLIC_KEY);
  const { user, session, channels = [], publish = [], lifeSeconds } = claims;
  const iat = Math.floor(nowMs / 1000);
  const payload = {
    aud: config.native.audience,
    sub: user,
    ...(session !== undefined && { sid: session }),
    channels,
    publish,
    iat,
    exp: iat + lifeSeconds,
  };
  return jwt.sign(payload, verificationKey(config.jwtSecret), { algorithm });
};
