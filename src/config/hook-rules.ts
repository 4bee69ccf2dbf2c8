import type { Rule } from './rule.ts';
import { HOOK_NAMES } from './schema/hooks.ts';

/** A receiver that cannot tell who asks would answer everybody. */
export const hookRules: readonly Rule[] = [
  {
    about: ['hooks.secret', ...HOOK_NAMES.map((name) => `hooks.${name}`)],
    check({ config: { hooks }, origins }, { problems }) {
      const set = HOOK_NAMES.filter((name) => hooks[name] !== '').map((name) => `hooks.${name}`);
      if (set.length === 0 || hooks.secret !== '') return;
      problems.push({
        code: 'secret_missing',
        key: 'hooks.secret',
        source: origins.get('hooks.secret') ?? 'default',
        got: `no secret beside ${set.join(', ')}`,
        expected: 'what requests to hooks are signed with',
        advice:
          "Set SIGNALBOX_HOOKS_SECRET, or SIGNALBOX_HOOKS_SECRET_FILE, for example to whsec_ and what 'openssl rand -base64 32' prints; the receivers need it too.",
      });
    },
  },
];
