import type { StateValue } from 'xstate';

/** The innermost states of a machine, outermost region first: `open.delivery.live`, `open.heartbeat.idle`, … */
export function leavesOf(value: StateValue, path = ''): string[] {
  if (typeof value === 'string') return [`${path}${value}`];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner as StateValue, `${path}${key}.`));
}

/** What tells a state from all others, quickly made. */
export function nameOf(value: StateValue): string {
  if (typeof value === 'string') return value;
  let name = '';
  for (const key in value) name += `${key}(${nameOf(value[key] as StateValue)})`;
  return name;
}

/** Things that there are few of and that are met often, each known by a number. */
export class Numbered<Thing> {
  readonly #numbers = new Map<string, number>();
  readonly #things: Thing[] = [];

  /** The number of what is called `name`; `make` is asked for it the first time. */
  numberOf(name: string, make: () => Thing): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#things.length);
    return this.#things.push(make()) - 1;
  }

  at(number: number): Thing {
    return this.#things[number] as Thing;
  }
}
