import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = 'src/library';
const source = readdirSync(FOLDER)
  .map((name) => readFileSync(`${FOLDER}/${name}`, 'utf8'))
  .join('\n');

/** The names of what an exported interface of the library has itself, not of what it extends. */
export function membersOf(name: string): string[] {
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source)?.[1];
  if (body === undefined) throw new Error(`the library has no interface ${name}`);
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??(?:<[^(]*>)?[(:]/gm)].map(([, member = '']) => member);
}
