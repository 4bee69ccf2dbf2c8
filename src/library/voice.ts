import type { Instances } from '../instances/instances.ts';
import type { Publishing } from '../publishing.ts';
import type { Voice } from './speaker.ts';

/** The voice of an instance, which `assertAlive` says the end of by throwing. */
export function voiceOf(
  parts: {
    readonly publishing: Publishing;
    readonly instances: Pick<Instances, 'tell' | 'end'>;
  },
  assertAlive: () => void,
): Voice {
  const { publishing, instances } = parts;
  return {
    assertAlive,
    publish: (publications) => publishing.forHttp(publications),
    isUnknown: (error) => publishing.isUnknown(error),
    tell: (target, topic, data) => instances.tell(target, topic, data),
    end: (target, word) => instances.end(target, word),
  };
}
