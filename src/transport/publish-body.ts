import { z } from 'zod';
import {
  CHANNEL_FORM,
  isPrincipalId,
  KEY,
  KEY_FORM,
  TOPIC_FORM,
  topicFault,
} from '../protocol/native/names.ts';
import { anyChannel, anyJson, nameBy } from './http-json.ts';

/** The body of `POST /publish`, or one of a list. What `meta` says is for the description: it checks nothing. */
export const publication = z.strictObject({
  channel: anyChannel.meta({
    description: `${CHANNEL_FORM}; or the channel of a user or session.`,
    examples: ['sport', 'user:5'],
  }),
  topic: nameBy(topicFault)
    .optional()
    .meta({ description: `${TOPIC_FORM}. Left out: message.` }),
  data: anyJson.meta({ description: 'Any JSON, passed on byte for byte.' }),
  key: z
    .string()
    .regex(KEY, `expected ${KEY_FORM}`)
    .optional()
    .meta({ description: 'Makes a repeat publish nothing: it is answered with the first id.' }),
  snapshot: z.boolean().optional().meta({ description: "true: also kept as the channel's snapshot." }),
});

/** The body of `POST /message`. */
export const message = z.strictObject({
  username: z
    .string()
    .refine(isPrincipalId, 'expected 1 to 128 bytes without control characters')
    .meta({ description: 'The user: 1 to 128 bytes without control characters.', minLength: 1 }),
  content: anyJson.meta({ description: 'Any JSON, passed on byte for byte.' }),
});
