import type { StateValue } from 'xstate';
import { leavesOf } from '../actors/machine-words.ts';

/** What is reached by the same names in the same order. */
interface Branch {
  readonly branches: Map<string, Branch>;
  number: number;
}

const branch = (): Branch => ({ branches: new Map(), number: -1 });
const END = ')';

/** The states of a machine, of which there are few that are met often, each known by a number. */
export class States {
  readonly #root = branch();
  readonly #leaves: (readonly string[])[] = [];

  /** Finds it by the machine's own names, of which no text is made: it is asked for at each step of each socket. */
  numberOf(value: StateValue): number {
    const end = walk(this.#root, value);
    if (end.number < 0) end.number = this.#leaves.push(leavesOf(value)) - 1;
    return end.number;
  }

  at(number: number): readonly string[] {
    return this.#leaves[number] as readonly string[];
  }
}

function walk(from: Branch, value: StateValue): Branch {
  if (typeof value === 'string') return next(from, value);
  let at = from;
  for (const key in value) at = next(walk(next(at, key), value[key] as StateValue), END);
  return at;
}

function next({ branches }: Branch, name: string): Branch {
  let found = branches.get(name);
  if (found === undefined) branches.set(name, (found = branch()));
  return found;
}
