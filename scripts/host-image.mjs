// Makes a container image from programs of this machine, for builds that can reach no container registry.
// Linux only: a program is taken with the libraries that ldd finds for it.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The absolute path of a program on the PATH. Throws when there is none. */
export function which(program) {
  return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' }).trim();
}

/** The shared libraries of a program, the loader among them; none for a static one. */
export function libraries(program) {
  try {
    const lines = execFileSync('ldd', [program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\n');
    return lines.map((line) => /(\/\S+) \(0x/.exec(line)?.[1]).filter((path) => path !== undefined);
  } catch {
    return [];
  }
}

/**
 * Imports an image.
 *
 * `programs` maps a path in the image to a program here; `folders` the same for folders; `files` maps a path to
 * its text; `changes` are lines of a Dockerfile, such as `CMD ["redis-server"]`.
 */
export async function importImage({ tag, programs, folders = {}, files = {}, empty = [], changes }) {
  const root = mkdtempSync(join(tmpdir(), 'host-image-'));
  const copy = (from, to) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    cpSync(from, join(root, to), { recursive: true, dereference: true });
  };
  try {
    for (const [to, from] of Object.entries(programs)) {
      copy(from, to);
      for (const library of libraries(from)) copy(library, library);
    }
    for (const [to, from] of Object.entries(folders)) copy(from, to);
    for (const [to, { text, mode = 0o644 }] of Object.entries(files)) {
      mkdirSync(dirname(join(root, to)), { recursive: true });
      writeFileSync(join(root, to), text, { mode });
    }
    for (const folder of empty) {
      mkdirSync(join(root, folder), { recursive: true });
      execFileSync('chmod', ['1777', join(root, folder)]);
    }
    await importTree(root, tag, changes);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function importTree(root, tag, changes) {
  return new Promise((done, fail) => {
    const tar = spawn('tar', ['-C', root, '--owner=0', '--group=0', '-c', '.'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const options = changes.flatMap((change) => ['--change', change]);
    const docker = spawn('docker', ['import', ...options, '-', tag], {
      stdio: [tar.stdout, 'ignore', 'inherit'],
    });
    tar.once('error', fail);
    docker.once('error', fail);
    docker.once('exit', (code) =>
      code === 0 ? done() : fail(new Error(`docker import ended with ${code}`)),
    );
  });
}
