import * as fc from 'fast-check';
import { isPrincipalId } from '../../src/protocol/native/names.ts';

/** Ids of users and sessions: any text that may be one, with what names have and URLs reserve. */
export const principalIds: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    fc.string({ unit: fc.constantFrom('a', ':', '%', '*', '/', "'", '@', ' ', 'é'), minLength: 1 }),
  )
  .filter(isPrincipalId);
